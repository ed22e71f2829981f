# What an alert says, in the language of whoever reads it: made of its type and values. The connector's English text is kept beside it
# for what has no text of its own here: rules of a farm, and alerts of former versions.
from odoo import api, fields, models

from ..tools import alert_texts
from .iot_alert import IotAlert as Base


class IotAlert(models.Model):
    _inherit = 'iot.alert'

    _bridge_fields = (*Base._bridge_fields, 'parameters')

    parameters = fields.Text(
        readonly=True, copy=False, help="What the text takes beside type and values: a JSON object of texts.")
    text = fields.Text(string='What Happened', compute='_compute_text', search='_search_text')
    alert_type_label = fields.Char(search='_search_alert_type_label')
    value_label = fields.Char(string='Measured Value', compute='_compute_measured_labels')
    limit_label = fields.Char(string='Its Limit', compute='_compute_measured_labels')

    @api.depends('message', 'alert_type', 'parameters', 'trigger_value', 'threshold_value', 'unit', 'animal_id', 'device_id', 'state')
    @api.depends_context('lang')
    def _compute_text(self):
        for alert in self:
            alert.text = alert_texts.text(self.env, alert, alert._text_parameters()) or alert.message

    def _search_text(self, operator, value):
        if operator != 'ilike':
            return [('message', operator, value)]
        # What is stored is English; the name of the type is found in the reader's language too.
        return fields.Domain('message', operator, value) | fields.Domain(self._search_alert_type_label(operator, value))

    @api.depends('alert_type')
    @api.depends_context('lang')
    def _compute_alert_type_label(self):
        for alert in self:
            alert.alert_type_label = alert_texts.label(self.env, alert.alert_type or '')

    def _search_alert_type_label(self, operator, value):
        if operator != 'ilike' or not isinstance(value, str):
            return [('alert_type', operator, value)]
        named = [kind for kind in alert_texts.LABELS if value.lower() in alert_texts.label(self.env, kind).lower()]
        return fields.Domain('alert_type', 'in', named) | fields.Domain('alert_type', 'ilike', value.replace(' ', '_'))

    @api.depends('trigger_value', 'threshold_value', 'unit')
    @api.depends_context('lang')
    def _compute_measured_labels(self):
        for alert in self:
            alert.value_label = alert_texts.measured(self.env, alert.trigger_value, alert.unit)
            alert.limit_label = alert_texts.measured(self.env, alert.threshold_value, alert.unit)

    def _text_parameters(self):
        return alert_texts.parameters(self.parameters) or {}

    def _bridge_problems(self, values):
        problems = super()._bridge_problems(values)
        if values.get('parameters') and alert_texts.parameters(values['parameters']) is None:
            problems.append(f"parameters: {values['parameters'][:60]!r} is not a JSON object of texts")
        return problems
