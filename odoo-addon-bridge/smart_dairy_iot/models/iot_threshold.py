# A limit for a measured value of one device, one kind of device or a whole farm. The connector's rules apply it.
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import metric_names
from ..tools.measured import MeasuredFloat
from .iot_device import DEVICE_TYPES

# What the connector holds against limits so far, in the units of its catalogue. A test compares this with connector/rules/milking.ts
# and config/metrics.yaml.
LIMITED = {
    'milk_yield': 'kg',
    'milk_yield_deviation': '%',
    'milk_conductivity': 'mS/cm',
    'milk_temperature': 'Cel',
    'milk_scc': '/mL',
    'milk_blood': '%',
}
# All of that is measured at a milking, and the distance from the expected yield has no lower limit.
MILKING_DEVICE_TYPES = (False, 'milk_meter')
ONLY_ABOVE = ('milk_yield_deviation',)


class IotThreshold(models.Model):
    _name = 'iot.threshold'
    _description = 'Limit of a Measured Value'
    _inherit = ['mail.thread']
    _order = 'farm_id, metric, id'
    # Whoever may see a limit may leave a note on it.
    _mail_post_access = 'read'

    active = fields.Boolean(default=True)
    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='cascade', tracking=True)
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    device_type = fields.Selection(DEVICE_TYPES, help="Empty: every kind of device.")
    device_id = fields.Many2one(
        'iot.device', index='btree_not_null', ondelete='cascade', domain="[('farm_id', '=', farm_id)]",
        help="Empty: every device of the farm, or of the type.")
    metric = fields.Selection(
        '_selection_metric', string='Value', required=True, tracking=True,
        help="What the connector holds against limits: values of a milking.")
    low = MeasuredFloat(string='Not below', aggregator=None, tracking=True)
    high = MeasuredFloat(string='Not above', aggregator=None, tracking=True)
    unit = fields.Char(compute='_compute_unit', help="Unit of the value in the connector's catalogue.")
    severity = fields.Selection(
        [('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], default='medium',
        required=True, tracking=True)

    _device_metric_uniq = models.UniqueIndex(
        "(farm_id, COALESCE(device_id, 0), COALESCE(device_type, ''), metric, severity) WHERE active",
        "There is already a limit of this severity for this value.")

    @api.model
    def _selection_metric(self):
        return [(metric, metric_names.label(self.env, metric)) for metric in LIMITED]

    @api.depends('metric')
    def _compute_unit(self):
        for limit in self:
            limit.unit = metric_names.unit(LIMITED.get(limit.metric, ''))

    @api.constrains('active', 'metric', 'low', 'device_type', 'device_id')
    def _check_has_effect(self):
        for limit in self.filtered('active'):
            if problem := limit._without_effect():
                raise ValidationError(problem)

    def _without_effect(self):
        """Why nothing is ever held against this limit, as a sentence; False when something is."""
        self.ensure_one()
        name = metric_names.label(self.env, self.metric or '')
        if self.metric not in LIMITED:
            return self.env._(
                "A limit on %(value)s would have no effect yet: the connector holds only values of milkings against limits. Choose "
                "one of: %(known)s.", value=name, known=', '.join(label for _metric, label in self._selection_metric()))
        if {self.device_type, self.device_id.device_type} - {*MILKING_DEVICE_TYPES}:
            return self.env._(
                "A limit on %(value)s would have no effect here: it is measured by milk meters, and not by %(device)s.", value=name,
                device=self.device_id.display_name or dict(self._fields['device_type']._description_selection(self.env))[self.device_type])
        if self.metric in ONLY_ABOVE and self.low is not False:
            return self.env._(
                "A lower limit on %s would have no effect: it is how far the yield is off, to either side. Enter an upper one.", name)
        return False

    @api.constrains('low', 'high')
    def _check_limits(self):
        for limit in self:
            name = metric_names.label(self.env, limit.metric)
            if limit.low is False and limit.high is False:
                raise ValidationError(self.env._("Enter a lower or an upper limit for %s.", name))
            if limit.low is not False and limit.high is not False and limit.low >= limit.high:
                raise ValidationError(self.env._("The lower limit of %s must be below the upper one.", name))

    @api.constrains('device_id', 'farm_id')
    def _check_device(self):
        for limit in self:
            if limit.device_id and limit.device_id.farm_id != limit.farm_id:
                raise ValidationError(self.env._("%s is not on this farm.", limit.device_id.display_name))

    @api.depends('metric', 'low', 'high')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for limit in self:
            span = ' – '.join('…' if value is False else f'{value:.15g}' for value in (limit.low, limit.high))
            limit.display_name = f"{metric_names.label(self.env, limit.metric or '')} {span} {limit.unit or ''}".strip()

    def copy_data(self, default=None):
        """A duplicate is archived: two limits of one severity for one value cannot both hold."""
        return [{**vals, 'active': False, **(default or {})} for vals in super().copy_data(default)]
