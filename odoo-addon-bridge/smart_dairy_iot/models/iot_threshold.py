# A limit for a measured value of one device, one kind of device or a whole farm. The connector's rules apply it.
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.measured import MeasuredFloat
from .iot_device import DEVICE_TYPES


class IotThreshold(models.Model):
    _name = 'iot.threshold'
    _description = 'Limit of a Measured Value'
    _inherit = ['mail.thread']
    _order = 'farm_id, metric, id'

    active = fields.Boolean(default=True)
    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='cascade', tracking=True)
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    device_type = fields.Selection(DEVICE_TYPES, help="Empty: every kind of device.")
    device_id = fields.Many2one(
        'iot.device', index='btree_not_null', ondelete='cascade', domain="[('farm_id', '=', farm_id)]",
        help="Empty: every device of the farm, or of the type.")
    metric = fields.Char(
        string='Value', required=True, tracking=True, help="Name in the connector's catalogue, such as temperature.")
    low = MeasuredFloat(string='Not below', aggregator=None, tracking=True)
    high = MeasuredFloat(string='Not above', aggregator=None, tracking=True)
    unit = fields.Char(help="Unit of the catalogue, such as °C.")
    severity = fields.Selection(
        [('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], default='medium',
        required=True, tracking=True)

    _device_metric_uniq = models.UniqueIndex(
        "(farm_id, COALESCE(device_id, 0), COALESCE(device_type, ''), metric, severity) WHERE active",
        "There is already a limit of this severity for this value.")

    @api.constrains('low', 'high')
    def _check_limits(self):
        for limit in self:
            if limit.low is False and limit.high is False:
                raise ValidationError(self.env._("Enter a lower or an upper limit for %s.", limit.metric))
            if limit.low is not False and limit.high is not False and limit.low >= limit.high:
                raise ValidationError(self.env._("The lower limit of %s must be below the upper one.", limit.metric))

    @api.constrains('device_id', 'farm_id')
    def _check_device(self):
        for limit in self:
            if limit.device_id and limit.device_id.farm_id != limit.farm_id:
                raise ValidationError(self.env._("%s is not on this farm.", limit.device_id.display_name))

    @api.depends('metric', 'low', 'high', 'unit')
    def _compute_display_name(self):
        for limit in self:
            span = ' – '.join('…' if value is False else f'{value:g}' for value in (limit.low, limit.high))
            limit.display_name = f"{limit.metric} {span} {limit.unit or ''}".strip()
