# An alert may come before its milking: what it refers to is remembered, and completed when that comes. Its animal is the milking's.
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.tools import SQL


class IotAlert(models.Model):
    _inherit = 'iot.alert'

    milk_session_ref = fields.Char(
        string='Milking Reference', readonly=True, copy=False, help="Identifier of the milking in its source system.")

    _milk_session_ref = models.Index('(milk_session_ref) WHERE milk_session_ref IS NOT NULL')

    def _bridge_values(self, entry):
        values = super()._bridge_values(entry)
        values['milk_session_ref'] = entry.values.get('milk_session', False)
        return values

    @api.model
    def _complete_references(self, sessions=None):
        """Give alerts the milkings that came after them, of ``sessions`` or at all; then they are about its animal."""
        self.flush_model(['milk_session_ref', 'milk_session_id', 'source', 'company_id'])
        self.env['iot.milk.session'].flush_model(['source', 'source_id', 'company_id'])
        only = SQL("TRUE") if sessions is None else SQL("s.id = ANY(%s)", sessions.ids)
        rows = self.env.execute_query(SQL(
            """SELECT a.id, s.id FROM iot_alert a
                 JOIN iot_milk_session s ON s.source_id = a.milk_session_ref AND s.source = a.source AND s.company_id = a.company_id
                WHERE a.milk_session_id IS NULL AND a.milk_session_ref IS NOT NULL AND %s""", only))
        # sudo: what an alert is about follows from its milking, whoever brought it
        alerts = self.sudo().with_context(tracking_disable=True).browse(alert_id for alert_id, _session_id in rows)
        with alerts._regrouped():
            for alert, (_alert_id, session_id) in zip(alerts.with_context(smart_dairy_batch=True), rows):
                alert.milk_session_id = session_id
            alerts._take_animals()

    def _follow_milkings(self):
        """These are about the animals of their milkings."""
        with self._regrouped():
            self._take_animals()

    def _take_animals(self):
        moved = self.filtered(lambda alert: alert.milk_session_id and alert.animal_id != alert.milk_session_id.animal_id)
        for animal, alerts in moved.grouped(lambda alert: alert.milk_session_id.animal_id).items():
            alerts.with_context(smart_dairy_batch=True).animal_id = animal

    @contextmanager
    def _regrouped(self):
        """Around changes of what these are about: their episodes are counted afterwards, once."""
        before = self._subjects()
        yield
        if self._subjects() != before:
            self._regroup(before)

    @api.model
    def _cron_complete_references(self):
        """Alert and milking of two calls at once see each other only afterwards."""
        self._complete_references()


class IotMilkSession(models.Model):
    _inherit = 'iot.milk.session'

    @contextmanager
    def _animals_change(self):
        with super()._animals_change():
            yield
        self._tell_alerts()

    def _tell_alerts(self):
        # sudo: whoever may choose the animal of a milking thereby says whom its alerts are about
        self.env['iot.alert'].sudo().with_context(tracking_disable=True).search(
            [('milk_session_id', 'in', self.ids)])._follow_milkings()

    def _bridge_insert(self, entries):
        answer = super()._bridge_insert(entries)
        self.env['iot.alert']._complete_references(self.browse(entry.answer['id'] for entry in entries))
        return answer

    def _bridge_update(self, entries):
        answer = super(IotMilkSession, self.with_context(smart_dairy_batch=True))._bridge_update(entries)
        sessions = self.browse(entry.current_id for entry in entries)
        self.env['iot.alert']._complete_references(sessions)
        sessions._tell_alerts()
        return answer
