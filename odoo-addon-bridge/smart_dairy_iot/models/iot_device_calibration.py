# A calibration of a device: what was compared with what, with which result, and until when it holds.
from datetime import timedelta

from odoo import api, fields, models

from ..tools.measured import MeasuredFloat


class IotDeviceCalibration(models.Model):
    _name = 'iot.device.calibration'
    _description = 'Device Calibration'
    _inherit = ['mail.thread']
    _order = 'date desc, id desc'
    # Whoever may see a calibration may leave a note on it.
    _mail_post_access = 'read'

    device_id = fields.Many2one('iot.device', required=True, index=True, ondelete='cascade')
    farm_id = fields.Many2one(related='device_id.farm_id', store=True)
    company_id = fields.Many2one(related='device_id.company_id', store=True, index=True)
    date = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
    user_id = fields.Many2one(
        'res.users', string='Done by', default=lambda self: self.env.user, domain="[('share', '=', False)]")
    result = fields.Selection(
        [('pass', 'Within Limits'), ('adjusted', 'Adjusted'), ('fail', 'Failed')], default='pass', required=True,
        tracking=True, help="Failed: the device needs repair; the calibration does not count.")
    reference = fields.Char(help="Reference instrument or weight, with its certificate number.")
    reference_value = MeasuredFloat(string='Reference Value', aggregator=None)
    value_before = MeasuredFloat(string='Device Showed', aggregator=None)
    value_after = MeasuredFloat(string='After Adjustment', aggregator=None)
    unit = fields.Char()
    deviation = MeasuredFloat(
        string='Deviation (%)', compute='_compute_deviation', aggregator=None,
        help="How far the device was from the reference before it was adjusted.")
    valid_until = fields.Date(
        compute='_compute_valid_until', store=True, precompute=True, readonly=False, tracking=True,
        help="When the next calibration is due. Proposed from the interval of the device.")
    note = fields.Text(string='Remark')

    # Not of the interval: what a certificate says stays said when the device gets another one later.
    @api.depends('date', 'device_id')
    def _compute_valid_until(self):
        for calibration in self:
            days = calibration.device_id.calibration_interval
            calibration.valid_until = calibration.date and days and calibration.date + timedelta(days=days)

    @api.depends('reference_value', 'value_before')
    def _compute_deviation(self):
        for calibration in self:
            known = calibration.reference_value and calibration.value_before is not False
            calibration.deviation = known and (
                100 * (calibration.value_before - calibration.reference_value) / calibration.reference_value)

    @api.depends('device_id', 'date')
    def _compute_display_name(self):
        for calibration in self:
            calibration.display_name = f"{calibration.device_id.display_name}, {calibration.date}"
