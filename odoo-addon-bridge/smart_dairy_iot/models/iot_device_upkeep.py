# Calibration dates of a device, its animal, and the reminders that follow from them.
from datetime import timedelta

from odoo import api, fields, models

DUE_WITHIN = timedelta(days=7)
OUT_OF_USE = ('draft', 'discovered', 'refused', 'retired')
CALIBRATION_ACTIVITY = 'smart_dairy_iot.mail_activity_type_calibration'


class IotDevice(models.Model):
    _inherit = 'iot.device'

    calibration_interval = fields.Integer(
        string='Calibrate Every (days)', aggregator=None, help="0: this device needs no calibration.")
    calibration_ids = fields.One2many('iot.device.calibration', 'device_id', string='Calibrations')
    calibration_count = fields.Integer(string='Number of Calibrations', compute='_compute_calibration_count')
    calibration_date = fields.Date(string='Last Calibration', compute='_compute_calibration_dates', store=True)
    next_calibration_date = fields.Date(
        string='Next Calibration', compute='_compute_calibration_dates', store=True, index='btree_not_null')
    calibration_state = fields.Selection(
        [('valid', 'Valid'), ('due', 'Due'), ('overdue', 'Overdue')], string='Calibration',
        compute='_compute_calibration_state', search='_search_calibration_state',
        help="Due: within 7 days. Overdue: the date has passed.")
    assignment_ids = fields.One2many('iot.device.assignment', 'device_id', string='Animals')
    animal_id = fields.Many2one(
        'farm.animal', string='On Animal', compute='_compute_animal_id', search='_search_animal_id',
        help="Animal that carries the device now.")

    _calibration_interval_positive = models.Constraint(
        'CHECK(calibration_interval >= 0)', "The calibration interval cannot be negative.")

    def _compute_calibration_count(self):
        counts = dict(self.env['iot.device.calibration']._read_group(
            [('device_id', 'in', self.ids)], ['device_id'], ['__count']))
        for device in self:
            device.calibration_count = counts.get(device, 0)

    @api.depends('calibration_ids.date', 'calibration_ids.result', 'calibration_ids.valid_until', 'calibration_interval')
    def _compute_calibration_dates(self):
        for device in self:
            counting = device.calibration_ids.filtered(lambda row: row.result != 'fail' and row.date)
            last = max(counting, key=lambda row: row.date, default=None)
            device.calibration_date = last and last.date
            # A certificate without an end leaves it to the interval.
            days = device.calibration_interval
            device.next_calibration_date = last and (
                last.valid_until or (bool(days) and last.date + timedelta(days=days)))

    @api.depends('next_calibration_date')
    def _compute_calibration_state(self):
        today = fields.Date.context_today(self)
        for device in self:
            date = device.next_calibration_date
            if not date:
                # Never calibrated although it must be: there is no date that could make it due.
                device.calibration_state = 'overdue' if device.calibration_interval else False
            elif date < today:
                device.calibration_state = 'overdue'
            else:
                device.calibration_state = 'due' if date <= today + DUE_WITHIN else 'valid'

    def _search_calibration_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        today = fields.Date.context_today(self)
        domains = {
            'valid': [('next_calibration_date', '>', today + DUE_WITHIN)],
            'due': [('next_calibration_date', '>=', today), ('next_calibration_date', '<=', today + DUE_WITHIN)],
            'overdue': ['|', ('next_calibration_date', '<', today),
                        '&', ('next_calibration_date', '=', False), ('calibration_interval', '>', 0)],
            False: [('next_calibration_date', '=', False), ('calibration_interval', '=', 0)],
        }
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    @api.depends('assignment_ids.valid_from', 'assignment_ids.valid_to', 'assignment_ids.animal_id')
    def _compute_animal_id(self):
        current = {row.device_id.id: row.animal_id for row in self.env['iot.device.assignment'].search(
            [('device_id', 'in', self.ids), ('is_current', '=', True)])}
        for device in self:
            device.animal_id = current.get(device._origin.id)

    def _search_animal_id(self, operator, value):
        return [('assignment_ids', 'any', [('is_current', '=', True), ('animal_id', operator, value)])]

    def action_view_calibrations(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_device_calibration_action')
        return dict(action, domain=[('device_id', 'in', self.ids)], context={'default_device_id': self.id})

    def action_take_off(self):
        """The device has just been taken off its animal."""
        self.assignment_ids.filtered('is_current').action_end()

    @api.model
    def _cron_remind_of_calibration(self):
        """One open activity for each device whose calibration is due or overdue."""
        kind = self.env.ref(CALIBRATION_ACTIVITY)
        devices = self.search([('calibration_state', 'in', ('due', 'overdue')), ('state', 'not in', OUT_OF_USE)])
        reminded = self.env['mail.activity'].search([
            ('res_model', '=', self._name), ('res_id', 'in', devices.ids), ('activity_type_id', '=', kind.id)])
        for device in devices.filtered(lambda device: device.id not in reminded.mapped('res_id')):
            person = device.user_id or device.farm_id.manager_id
            # In the language of whoever reads it.
            device.with_context(lang=person.lang or self.env.lang).activity_schedule(
                CALIBRATION_ACTIVITY, device.next_calibration_date or fields.Date.context_today(self),
                user_id=person.id or self.env.ref('base.user_admin').id)
