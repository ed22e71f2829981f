# Latest values of devices, fetched from the connector when a form opens and kept for ten seconds.
import threading
import time
from datetime import datetime

from markupsafe import Markup

from odoo import api, fields, models

from ..tools import connector_client

KEPT_S = 10
TIMEOUT_S = 1.5
MAX_ENTRIES = 2000

_lock = threading.Lock()
# (database, source id or None for "the connector is away"): (end of its validity, values or error text)
_kept = {}


def _remembered(key):
    with _lock:
        until, value = _kept.get(key, (0, None))
        return value if until > time.monotonic() else None


def _remember(key, value):
    with _lock:
        if len(_kept) >= MAX_ENTRIES:
            _kept.clear()
        _kept[key] = time.monotonic() + KEPT_S, value


class IotConnector(models.AbstractModel):
    _inherit = 'iot.connector'

    @api.model
    def _latest(self, source_ids):
        """``(values by source id, problem)``: lists of ``{metric, value, unit, time, quality}``. Never raises; not audited,
        because it happens with every look at a form."""
        database = self.env.cr.dbname
        settings = self._settings()
        if not settings:
            return {}, self.env._("No connector is set up.")
        if problem := _remembered((database, None)):
            return {}, problem
        found = {source_id: _remembered((database, source_id)) for source_id in source_ids}
        missing = [source_id for source_id, values in found.items() if values is None]
        if missing:
            try:
                answer = connector_client.post(*settings, 'latest', {'devices': missing}, TIMEOUT_S)
                fresh = {source_id: [] for source_id in missing}
                for value in answer['values']:
                    fresh.setdefault(value['device'], []).append(value)
            except (connector_client.ConnectorError, KeyError, TypeError) as error:
                problem = str(error)
                _remember((database, None), problem)
                return {}, problem
            for source_id in missing:
                _remember((database, source_id), fresh[source_id])
                found[source_id] = fresh[source_id]
        return found, False


class IotDevice(models.Model):
    _inherit = 'iot.device'

    latest_values = fields.Html(
        compute='_compute_latest_values', sanitize=False, help="Fetched from the connector when the form opens.")

    @api.depends_context('uid')
    def _compute_latest_values(self):
        known = self.filtered('source_id')
        values, problem = self.env['iot.connector']._latest(known.mapped('source_id')) if known else ({}, False)
        for device in self:
            if not device.source_id:
                device.latest_values = self._muted(self.env._("This device has not talked yet."))
            elif problem:
                device.latest_values = self._muted(
                    self.env._("The latest values cannot be shown now (%s). Everything else works.", problem))
            else:
                device.latest_values = device._values_table(values.get(device.source_id) or [])

    @staticmethod
    def _muted(text):
        return Markup('<p class="text-muted">%s</p>') % text

    def _values_table(self, values):
        if not values:
            return self._muted(self.env._("No value in the last two days."))
        row = Markup('<tr><td>%s</td><td class="text-end">%s %s</td><td class="text-muted">%s%s</td></tr>')
        rows = [
            row % (str(value.get('metric')).replace('_', ' '), self._shown(value.get('value')), value.get('unit') or '',
                   self._local(value.get('time')), '' if not value.get('quality') else self.env._(" (doubtful)"))
            for value in values
        ]
        return Markup('<table class="table table-sm w-auto"><tbody>%s</tbody></table>') % Markup().join(rows)

    @staticmethod
    def _shown(value):
        return f'{value:.6g}' if isinstance(value, (int, float)) else value

    def _local(self, text):
        try:
            moment = datetime.fromisoformat(str(text)).replace(tzinfo=None)
        except ValueError:
            return text
        return fields.Datetime.context_timestamp(self, moment).strftime('%Y-%m-%d %H:%M:%S')
