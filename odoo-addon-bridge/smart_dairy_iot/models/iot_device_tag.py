# A group of devices, such as "new collars" or "left row". Shared by all companies.
from random import randint

from odoo import fields, models
from odoo.addons.smart_dairy_farm.tools.copies import free_name


class IotDeviceTag(models.Model):
    _name = 'iot.device.tag'
    _description = 'Device Group'
    _order = 'name, id'

    name = fields.Char(required=True, translate=True)
    color = fields.Integer(default=lambda self: randint(1, 11), aggregator=None)
    active = fields.Boolean(default=True)

    _name_uniq = models.UniqueIndex('(name)', "This group already exists.")

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for group, vals in zip(self, vals_list):
            if not (default or {}).get('name'):
                taken = set(self.with_context(active_test=False).search([('name', 'ilike', group.name)]).mapped('name'))
                vals['name'] = free_name(self.env, group.name, taken)
        return vals_list
