# How a command gets to the connector: after the commit, once, within its range, and not when it is too late.
import json
import logging
import math
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.value_range import is_within, range_text

_logger = logging.getLogger(__name__)

# How long the device may take.
TIMEOUT_MS = 10_000
# A command that comes later than this is another one: whoever sent it has looked after the device by then.
SEND_WITHIN = timedelta(minutes=10)


class IotDeviceCommand(models.Model):
    _inherit = 'iot.device.command'

    send_before = fields.Datetime(
        string='Tried until', readonly=True, copy=False, help="While the connector is away the command is tried again until then.")

    def action_send(self):
        """Hand it to the connector as soon as this is saved. The same command twice is one command there, so this may be
        repeated."""
        self.check_access('read')
        self.browse().check_access('create')
        waiting = self.filtered(lambda row: row.state == 'queued')
        for command in waiting:
            self._check_range(command.device_id, command.command, command.value)
        waiting._send_until(fields.Datetime.now() + SEND_WITHIN)

    def _send_until(self, moment):
        # sudo: people may create a command, but write nothing of what becomes of it
        self.sudo().write({'send_before': moment})
        self._send_after_commit()

    def _send_after_commit(self):
        """Nothing goes out of a transaction that is rolled back, and the connector finds in the database what it tells of."""
        if not self:
            return
        # As a dict: each once, in order.
        waiting = self.env.cr.postcommit.data.setdefault('smart_dairy_iot.commands', {})
        if not waiting:
            self.env.cr.postcommit.add(partial(self._deliver, waiting))
        waiting.update(dict.fromkeys(self.ids))

    @api.model
    def _deliver(self, ids):
        """Send these one by one; the first that finds nobody ends it, the schedule tries again. Never raises: what was
        committed stays."""
        for command_id in ids:
            try:
                if self._deliver_one(command_id) == 'queued':
                    return
            except Exception:  # noqa: BLE001 the user's work is saved; the schedule tries again
                _logger.exception("command %s was not sent", command_id)

    def _deliver_one(self, command_id):
        """The state that the connector's answer led to; False when there was nothing to send."""
        Connector = self.env['iot.connector']
        # Two transactions: the connector may tell of the command before it has answered this call.
        with Connector._own_transaction() as env:
            command = env[self._name].browse(command_id).exists()
            # Without a time it was never sent: what asked for it was taken back in a savepoint.
            if command.state != 'queued' or not command.send_before:
                return False
            values = command._hand_over()
        with Connector._own_transaction() as env:
            # sudo: as above, this is what the connector says
            env[self._name].browse(command_id).sudo()._take_answer(values)
        return values['state']

    def _hand_over(self):
        """What the connector makes of this command, as values."""
        if self.send_before and self.send_before < fields.Datetime.now():
            return {'state': 'timed_out', 'detail': self.env._("It could not be sent in time.")}
        params = {'timeout_ms': TIMEOUT_MS}
        if self.value:
            params['value'] = self._value_of(self.value)
        payload = {
            'farm': self.farm_id.code, 'device_uid': self.device_id.device_uid, 'command': self.command,
            'request_id': self.source_id, 'params': params,
        }
        try:
            answer = self.env['iot.connector']._ask('command', payload, record=self)
        except UserError as error:
            is_refused = getattr(error.__cause__, 'status', None) == 'refused'
            return {'state': 'rejected' if is_refused else 'queued', 'detail': str(error.args[0])}
        return {
            'state': answer.get('state') or 'sent', 'detail': False, 'requested_at': fields.Datetime.now(),
            'expires_at': self._as_datetime(answer.get('expires_at'))}

    def _take_answer(self, values):
        if self.state != 'queued':
            # The connector's own message was faster, and knows more.
            return
        is_news = bool(values['detail']) and values['detail'] != self.detail
        self.write(values)
        self._after_result()
        if is_news and self.user_id:
            self.user_id._bus_send('simple_notification', {
                'type': 'warning' if values['state'] == 'queued' else 'danger', 'title': self.display_name,
                'message': values['detail']})

    def _call_off(self, reason):
        """Those that have not been sent are not sent any more."""
        self.sudo().filtered(lambda row: row.state == 'queued').write({'state': 'failed', 'detail': reason})

    @api.model
    def _cron_send(self):
        """Try those again that the connector has not got, the oldest first."""
        self.search([('state', '=', 'queued'), ('send_before', '!=', False)], order='id', limit=200)._send_after_commit()

    # -- values ------------------------------------------------------------------------------------

    @api.model
    def _value_of(self, text):
        """What ``text`` means: a number, true or false, else itself."""
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return value if isinstance(value, (bool, int, float)) and math.isfinite(value) else text

    @api.model
    def _check_range(self, device, command, text):
        """Raise UserError for a value that the profile of ``device`` does not allow. When the connector is away it is the one
        to say so: it holds every command against the same range."""
        try:
            known = self.env['iot.connector'].call(
                'command/known', {'farm': device.farm_id.code, 'device_uid': device.device_uid}, record=device)['commands']
        except UserError:
            return
        for found in known:
            if found['name'] == command and found['takes_value']:
                self._check_value(command, text, found['min'], found['max'], found['unit'])

    @api.model
    def _check_value(self, command, text, low, high, unit):
        if not text:
            raise UserError(self.env._("%s needs a value.", command))
        if not is_within(self._value_of(text), low, high):
            raise UserError(self.env._(
                "%(command)s takes a number within %(range)s.", command=command, range=range_text(low, high, unit)))
