# An animal's milkings, alerts and a small production summary.
from datetime import timedelta

from odoo import fields, models

from ..tools.measured import MeasuredFloat


class FarmAnimal(models.Model):
    _inherit = 'farm.animal'

    milk_session_ids = fields.One2many('iot.milk.session', 'animal_id', string='Milkings')
    milk_session_count = fields.Integer(string='Number of Milkings', compute='_compute_milk_counts')
    iot_alert_count = fields.Integer(string='Open Alerts', compute='_compute_iot_alert_count')
    last_milking = fields.Datetime(compute='_compute_production', help="Start of the latest milking.")
    yield_last_day = MeasuredFloat(
        string='Last 24 h (kg)', compute='_compute_production', help="Milk of the last 24 hours.")
    yield_day_mean = MeasuredFloat(
        string='Per Day, 7-Day Mean (kg)', compute='_compute_production',
        help="Milk of the last seven days, divided by seven.")
    yield_milking_mean = MeasuredFloat(
        string='Per Milking, 30-Day Mean (kg)', compute='_compute_production',
        help="Mean of the complete milkings of the last 30 days.")
    fat_mean = MeasuredFloat(string='Fat, 30-Day Mean (%)', compute='_compute_production')
    protein_mean = MeasuredFloat(string='Protein, 30-Day Mean (%)', compute='_compute_production')
    scc_mean = MeasuredFloat(string='SCC, 30-Day Mean (cells/mL)', compute='_compute_production')

    def _compute_milk_counts(self):
        counts = dict(self.env['iot.milk.session']._read_group(
            [('animal_id', 'in', self.ids)], ['animal_id'], ['__count']))
        for animal in self:
            animal.milk_session_count = counts.get(animal._origin, 0)

    def _compute_iot_alert_count(self):
        counts = dict(self.env['iot.alert']._read_group(
            [('animal_id', 'in', self.ids), ('state', '!=', 'resolved'), ('episode_id', '=', False)], ['animal_id'], ['__count']))
        for animal in self:
            animal.iot_alert_count = counts.get(animal._origin, 0)

    def _compute_production(self):
        now = fields.Datetime.now()
        Session = self.env['iot.milk.session']

        def grouped(domain, *aggregates):
            return {row[0]: row[1:] for row in Session._read_group(
                [('animal_id', 'in', self.ids), *domain], ['animal_id'], list(aggregates))}

        last = grouped([], 'start_datetime:max')
        day = grouped([('start_datetime', '>', now - timedelta(days=1))], 'yield_kg:sum')
        week = grouped([('start_datetime', '>', now - timedelta(days=7))], 'yield_kg:sum')
        month = grouped([('start_datetime', '>', now - timedelta(days=30)), ('is_complete', '=', True)],
                        'yield_kg:avg', 'fat_percentage:avg', 'protein_percentage:avg', 'somatic_cell_count:avg')
        for animal in self:
            known = animal._origin
            animal.last_milking = last.get(known, (False,))[0]
            animal.yield_last_day = day.get(known, (False,))[0]
            animal.yield_day_mean = known in week and (week[known][0] or 0) / 7
            animal.yield_milking_mean, animal.fat_mean, animal.protein_mean, animal.scc_mean = month.get(
                known, (False,) * 4)

    def _release(self):
        answer = super()._release()
        # sudo: as there
        self.env['iot.device.assignment'].sudo().search([
            ('animal_id', 'in', self.ids), '|', ('valid_to', '=', False), ('valid_to', '>', fields.Datetime.now())])._end()
        return answer

    def action_view_milkings(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_milk_session_action')
        return dict(action, domain=[('animal_id', 'in', self.ids)], context={})

    def action_view_iot_alerts(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_alert_action')
        return dict(action, domain=[('episode_id', '=', False), ('animal_id', 'in', self.ids)], context={})
