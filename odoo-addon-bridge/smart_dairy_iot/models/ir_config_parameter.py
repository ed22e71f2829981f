# Whoever enters the connector's address or secret connects this database; a copy has both without anybody having entered them.
from odoo import api, models

from .iot_bridge_setup import CONNECTOR_PARAMETERS


class IrConfigParameter(models.Model):
    _inherit = 'ir.config_parameter'

    @api.model_create_multi
    def create(self, vals_list):
        parameters = super().create(vals_list)
        parameters._bind_connector()
        return parameters

    def write(self, vals):
        answer = super().write(vals)
        if 'value' in vals:
            self._bind_connector()
        return answer

    def _bind_connector(self):
        if any(parameter.value and parameter.key in CONNECTOR_PARAMETERS.values() for parameter in self):
            self.env['iot.connector']._bind()
