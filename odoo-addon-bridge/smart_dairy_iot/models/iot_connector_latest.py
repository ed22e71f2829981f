# Latest values and small charts of a device, fetched from the connector when its form opens and kept for ten seconds.
import threading
import time
from datetime import datetime

from odoo import api, models

from ..tools import connector_client, metric_names

KEPT_S = 10
TIMEOUT_S = 1.5
MAX_ENTRIES = 2000
CHART_HOURS = 24

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
    def _latest(self, source_id):
        """``(values, problem)`` of one device: dicts of ``metric, value, unit, time, quality`` and ``points``, a list of
        ``[Unix seconds, mean]``. Never raises; not audited, because it happens with every look at a form."""
        database = self.env.cr.dbname
        settings = self._settings()
        if not settings:
            return [], self.env._("No connector is set up.")
        if problem := _remembered((database, None)):
            return [], problem
        if (values := _remembered((database, source_id))) is not None:
            return values, False
        try:
            answer = connector_client.post(
                *settings, 'latest', {'devices': [source_id], 'chart_hours': CHART_HOURS}, TIMEOUT_S)
            # A connector of an earlier version answers without charts.
            points = {series['metric']: series['points'] for series in answer.get('series', [])}
            values = [dict(value, points=points.get(value['metric'], [])) for value in answer['values']]
        except (connector_client.ConnectorError, KeyError, TypeError, AttributeError) as error:
            problem = str(error)
            _remember((database, None), problem)
            return [], problem
        _remember((database, source_id), values)
        return values, False


class IotDevice(models.Model):
    _inherit = 'iot.device'

    @api.readonly
    def recent_values(self):
        """What the form draws after it has opened, so that a slow connector holds nothing up. Never fails.

        ``{'message': text or False, 'hours': 24, 'values': [{'label', 'value', 'unit', 'time', 'doubtful', 'points'}]}``,
        times in Unix seconds.
        """
        self.ensure_one()
        self.check_access('read')
        answer = {'message': False, 'hours': CHART_HOURS, 'values': []}
        if not self.source_id:
            return dict(answer, message=self.env._("This device has not talked yet."))
        values, problem = self.env['iot.connector']._latest(self.source_id)
        if problem:
            return dict(answer, message=self.env._(
                "The latest values cannot be shown now (%s). Everything else works.", problem))
        if not values:
            return dict(answer, message=self.env._("No value in the last two days."))
        return dict(answer, values=[self._shown(value) for value in values])

    def _shown(self, value):
        return {
            'label': metric_names.label(self.env, str(value.get('metric'))),
            'value': value.get('value'),
            'unit': metric_names.unit(str(value.get('unit') or '')),
            'time': self._seconds(value.get('time')),
            'doubtful': bool(value.get('quality')),
            'points': value['points'],
        }

    @staticmethod
    def _seconds(text):
        try:
            return datetime.fromisoformat(str(text)).timestamp()
        except ValueError:
            return False
