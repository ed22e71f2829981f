# Devices and open alerts of a farm.
from odoo import fields, models


class FarmFarm(models.Model):
    _inherit = 'farm.farm'

    device_ids = fields.One2many('iot.device', 'farm_id', string='Devices')
    device_count = fields.Integer(string='Number of Devices', compute='_compute_iot_counts')
    iot_alert_count = fields.Integer(string='Open Alerts', compute='_compute_iot_counts')

    def _compute_iot_counts(self):
        devices = dict(self.env['iot.device']._read_group([('farm_id', 'in', self.ids)], ['farm_id'], ['__count']))
        alerts = dict(self.env['iot.alert']._read_group(
            [('farm_id', 'in', self.ids), ('state', '!=', 'resolved')], ['farm_id'], ['__count']))
        for farm in self:
            farm.device_count = devices.get(farm._origin, 0)
            farm.iot_alert_count = alerts.get(farm._origin, 0)

    def action_view_devices(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_device_action')
        return dict(action, domain=[('farm_id', 'in', self.ids)], context={'default_farm_id': self.id})

    def action_view_iot_alerts(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_alert_action')
        return dict(action, domain=[('farm_id', 'in', self.ids)], context={'search_default_open': 1})
