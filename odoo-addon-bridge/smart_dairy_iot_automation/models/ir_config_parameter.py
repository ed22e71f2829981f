# The connector's secret webhook address wakes the rules, clearing it lets them sleep.
from odoo import api, models

HOOK_PARAMETER = 'smart_dairy.connector_hook'
RULES = ('animal_tag', 'device_state', 'threshold', 'alert_state')


class IrConfigParameter(models.Model):
    _inherit = 'ir.config_parameter'

    @api.model_create_multi
    def create(self, vals_list):
        parameters = super().create(vals_list)
        parameters._set_hook()
        return parameters

    def write(self, vals):
        answer = super().write(vals)
        self._set_hook()
        return answer

    def unlink(self):
        hook = self.filtered(lambda parameter: parameter.key == HOOK_PARAMETER)
        hook._set_hook(address=False)
        return super().unlink()

    def _set_hook(self, address=None):
        for parameter in self.filtered(lambda parameter: parameter.key == HOOK_PARAMETER):
            url = parameter.value if address is None else address
            for name in RULES:
                rule = self.env.ref(f'smart_dairy_iot_automation.rule_{name}', raise_if_not_found=False)
                if rule:
                    rule.action_server_ids.webhook_url = url
                    rule.active = bool(url)
