# A duplicate of a device: another one of the same kind, with an id of its own that a person replaces by what it really says.
from odoo import models
from odoo.addons.smart_dairy_farm.tools.copies import free_code, free_name


class IotDevice(models.Model):
    _inherit = 'iot.device'

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        given = default or {}
        farms = self.farm_id | self.env['farm.farm'].browse(given.get('farm_id') or [])
        # sudo: an id that the user does not see is taken all the same
        devices = self.sudo().with_context(active_test=False).search([('farm_id', 'in', farms.ids)])
        taken = {(device.farm_id.id, device.device_uid) for device in devices}
        names = set(devices.mapped('name'))
        for device, vals in zip(self, vals_list):
            if not given.get('device_uid'):
                vals['device_uid'] = free_code(
                    device.device_uid, {uid for farm_id, uid in taken if farm_id == vals['farm_id']}, 128)
                taken.add((vals['farm_id'], vals['device_uid']))
            if not given.get('name'):
                vals['name'] = free_name(self.env, device.name, names)
                names.add(vals['name'])
        return vals_list
