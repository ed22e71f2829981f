# Cattle and buffalo breeds, shared by all companies.
from odoo import fields, models

from ..tools.copies import free_name


class FarmBreed(models.Model):
    _name = 'farm.breed'
    _description = 'Breed'
    _order = 'name, id'

    name = fields.Char(required=True, translate=True)
    code = fields.Char(help="Short code on herd-book papers, such as HOL or JER.")
    active = fields.Boolean(default=True)

    _name_uniq = models.UniqueIndex('(name)', "This breed already exists.")

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for breed, vals in zip(self, vals_list):
            if not (default or {}).get('name'):
                taken = set(self.with_context(active_test=False).search([('name', 'ilike', breed.name)]).mapped('name'))
                vals['name'] = free_name(self.env, breed.name, taken)
        return vals_list
