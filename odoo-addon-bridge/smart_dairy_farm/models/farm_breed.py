# Cattle and buffalo breeds, shared by all companies.
from odoo import fields, models


class FarmBreed(models.Model):
    _name = 'farm.breed'
    _description = 'Breed'
    _order = 'name, id'

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="Short code on herd-book papers, such as HOL or JER.")
    active = fields.Boolean(default=True)

    _name_uniq = models.UniqueIndex('(name)', "This breed already exists.")
