# A group of devices, such as "new collars" or "left row". Shared by all companies.
from random import randint

from odoo import fields, models


class IotDeviceTag(models.Model):
    _name = 'iot.device.tag'
    _description = 'Device Group'
    _order = 'name, id'

    name = fields.Char(required=True, translate=True)
    color = fields.Integer(default=lambda self: randint(1, 11), aggregator=None)
    active = fields.Boolean(default=True)

    _name_uniq = models.UniqueIndex('(name)', "This group already exists.")
