# The way from Odoo to the connector: signed calls, limited in time and written down, and hints after a commit.
import logging
import threading
import time
from contextlib import contextmanager
from functools import partial

from odoo import api, models
from odoo.exceptions import UserError

from ..tools import connector_client

_logger = logging.getLogger(__name__)

URL_PARAMETER = 'smart_dairy.connector_url'
SECRET_PARAMETER = 'smart_dairy.connector_secret'
# The database that address and secret were entered in. They travel with a copy of it, and do not hold there.
DATABASE_PARAMETER = 'smart_dairy.connector_database'
OWN_DATABASE_PARAMETER = 'database.uuid'
# In the context of the connector's calls: the database that it belongs to.
MEANT_DATABASE = 'smart_dairy_database'
# What only a committed transaction may bring about; such calls are made by models that wait for the commit.
AFTER_COMMIT_ONLY = frozenset(('command',))
TIMEOUT_S = 3
# A hint names at most so many records; the connector finds the others by its cursor.
MAX_NAMED_IDS = 500


class IotConnector(models.AbstractModel):
    _name = 'iot.connector'
    _description = 'Smart Dairy Connector'

    @api.model
    def _parameter(self, name):
        # sudo: the secret is for settings administrators to read, and for these methods to sign with
        return self.env['ir.config_parameter'].sudo().get_param(name)

    @api.model
    def _settings(self):
        """(address, secret, this database), or None as long as there are none that were entered in this database."""
        url, secret = self._parameter(URL_PARAMETER), self._parameter(SECRET_PARAMETER)
        database = self._parameter(OWN_DATABASE_PARAMETER)
        return (url, secret, database) if url and secret and self._parameter(DATABASE_PARAMETER) == database else None

    @api.model
    def _is_copy(self):
        """Whether the link with the connector was made in another database, which this one is a copy of."""
        made_in = self._parameter(DATABASE_PARAMETER)
        return bool(made_in) and made_in != self._parameter(OWN_DATABASE_PARAMETER)

    @api.model
    def _bind(self):
        """Let the link hold in this database: somebody has just entered it here."""
        # sudo: whoever may write address and secret, which is checked there
        self.env['ir.config_parameter'].sudo().set_param(
            DATABASE_PARAMETER, self._parameter(OWN_DATABASE_PARAMETER))

    @api.model
    def _check_meant(self):
        """Raise when the connector that calls belongs to another database."""
        meant = self.env.context.get(MEANT_DATABASE)
        if meant and meant != self._parameter(OWN_DATABASE_PARAMETER):
            # The connector knows this refusal by the name, whatever the language.
            raise UserError(self.env._(
                "%s: this database is not the one that the connector belongs to, but a copy: connect it anew",
                MEANT_DATABASE))

    @api.private
    @api.model
    def call(self, path, payload=None, record=None, timeout_s=TIMEOUT_S):
        """Ask the connector and return its answer. For server actions and the addon's own screens.

        ``path`` follows /api/v1/odoo/, ``record`` is what it is about (for the audit). Raises UserError when there is
        no answer within ``timeout_s``. Every call is written down in iot.connector.call, also when this transaction
        is rolled back. Not for what must only happen when the transaction succeeds: that is ``call_later``, and for a
        command ``iot.device.command.action_send()``.
        """
        if path in AFTER_COMMIT_ONLY:
            raise UserError(self.env._(
                "A command is sent after the commit: create an iot.device.command and call its action_send()."))
        return self._ask(path, payload, record, timeout_s)

    def _ask(self, path, payload=None, record=None, timeout_s=TIMEOUT_S):
        if self._is_copy():
            text = self.env._(
                "This database is a copy: its link with the connector belongs to the original. Connect it anew under "
                "Smart Dairy / Configuration / Getting Started, with the secret of a connector of its own.")
            raise UserError(text) from connector_client.ConnectorError('refused', text)
        settings = self._settings()
        if not settings:
            raise UserError(self.env._(
                "No connector is set up. Enter its address and secret under Smart Dairy / Configuration / Getting Started."))
        self._await_end(partial(self._note, *self._subject(path, record)), started := {})
        try:
            return self._measured(settings, path, payload, timeout_s, started)
        except connector_client.ConnectorError as error:
            raise UserError(self._explained(error)) from error

    @api.private
    @api.model
    def call_later(self, path, payload=None, record=None):
        """Tell the connector after this transaction has been committed, beside the user's work. Never raises."""
        subject = self._subject(path, record)
        if settings := self._settings():
            self.env.cr.postcommit.add(partial(self._in_background, partial(
                self._tell, settings, subject, path, payload or {})))

    @api.model
    def _notify(self, kind, ids):
        """Hint that records of ``kind`` have changed: once for each kind and transaction, after the commit."""
        settings = self._settings()
        if not settings:
            return
        news = self.env.cr.postcommit.data.setdefault('smart_dairy_iot.news', {})
        if not news:
            self.env.cr.postcommit.add(partial(self._send_news, settings, news))
        news.setdefault(kind, set()).update(ids)

    def _send_news(self, settings, news):
        for kind, ids in news.items():
            payload = {'kind': kind, 'ids': sorted(ids)[:MAX_NAMED_IDS]}
            self._in_background(partial(self._tell, settings, self._subject('notify', None), 'notify', payload))

    # -- inside ------------------------------------------------------------------------------------

    def _explained(self, error):
        texts = {
            'unreachable': self.env._("The connector does not answer: %s. Is it running, and is its address right?"),
            'refused': self.env._("The connector refuses: %s"),
            'failed': self.env._("The connector failed: %s"),
        }
        return texts[error.status] % error

    @staticmethod
    def _subject(path, record):
        return {'path': path, 'res_model': record._name if record else False, 'res_id': record.id if record else False},

    def _measured(self, settings, path, payload, timeout_s, result):
        """The answer; leaves status, duration and error in ``result`` for the audit."""
        begin = time.monotonic()
        result.update(status='ok', error=False)
        try:
            return connector_client.post(*settings, path, payload or {}, timeout_s)
        except connector_client.ConnectorError as error:
            result.update(status=error.status, error=str(error))
            raise
        finally:
            result['duration_ms'] = int((time.monotonic() - begin) * 1000)

    def _await_end(self, note, result):
        """Call ``note(result)`` when this transaction ends, whichever way. (Each end clears the queue of the other.)"""
        self.env.cr.postcommit.add(partial(note, result))
        self.env.cr.postrollback.add(partial(note, result))

    def _tell(self, settings, subject, path, payload):
        try:
            self._measured(settings, path, payload, TIMEOUT_S, result := {})
        except connector_client.ConnectorError as error:
            _logger.info("connector: %s: %s", path, error)
        self._note(*subject, result)

    def _note(self, subject, result):
        try:
            with self._own_transaction() as env:
                # sudo: nobody writes the audit by hand
                env['iot.connector.call'].sudo().create({**subject, **result, 'user_id': self.env.uid})
        except Exception:  # noqa: BLE001 an audit that fails must not undo what was done
            _logger.exception("connector: the call of %s could not be written down", subject['path'])

    @contextmanager
    def _own_transaction(self):
        """An environment of the same user in a transaction of its own."""
        with self.env.registry.cursor() as cr:
            yield self.env(cr=cr)

    def _in_background(self, work):
        # A thread, because a connector that hangs must not hold up everybody who saves a form.
        threading.Thread(target=work, name='smart_dairy.connector', daemon=True).start()
