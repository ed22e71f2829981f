# Devices and open alerts of a farm; the connector's user follows the farm into its company.
from odoo import Command, api, fields, models

from .iot_bridge_setup import CONNECTOR_LOGIN


class FarmFarm(models.Model):
    _inherit = 'farm.farm'

    device_ids = fields.One2many('iot.device', 'farm_id', string='Devices')
    device_count = fields.Integer(string='Number of Devices', compute='_compute_iot_counts')
    iot_alert_count = fields.Integer(string='Open Alerts', compute='_compute_iot_counts')

    @api.model_create_multi
    def create(self, vals_list):
        farms = super().create(vals_list)
        farms._let_connector_follow()
        return farms

    def write(self, vals):
        answer = super().write(vals)
        if 'company_id' in vals:
            self._let_connector_follow()
        return answer

    def _let_connector_follow(self):
        """The connector brings the records of every farm, so its user belongs to the company of every farm."""
        # sudo: who may give a farm to a company need not be allowed to change users
        user = self.env['res.users'].sudo().with_context(active_test=False).search([('login', '=', CONNECTOR_LOGIN)])
        missing = self.company_id - user.company_ids
        if user and missing:
            user.write({'company_ids': [Command.link(company.id) for company in missing]})

    def _compute_iot_counts(self):
        devices = dict(self.env['iot.device']._read_group([('farm_id', 'in', self.ids)], ['farm_id'], ['__count']))
        alerts = dict(self.env['iot.alert']._read_group(
            [('farm_id', 'in', self.ids), ('state', '!=', 'resolved'), ('episode_id', '=', False)], ['farm_id'], ['__count']))
        for farm in self:
            farm.device_count = devices.get(farm._origin, 0)
            farm.iot_alert_count = alerts.get(farm._origin, 0)

    def action_view_devices(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_device_action')
        return dict(action, domain=[('farm_id', 'in', self.ids)], context={'default_farm_id': self.id})

    def action_view_iot_alerts(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_alert_action')
        return dict(action, domain=[('episode_id', '=', False), ('farm_id', 'in', self.ids)], context={'search_default_open': 1})
