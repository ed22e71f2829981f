# A pen (shed, group) of a farm, in which animals are kept.
from odoo import api, fields, models

from ..tools.copies import free_name


class FarmPen(models.Model):
    _name = 'farm.pen'
    _description = 'Pen'
    _order = 'farm_id, sequence, name, id'

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    purpose = fields.Selection(
        [('lactating', 'Lactating'), ('dry', 'Dry'), ('maternity', 'Maternity'), ('young', 'Young Stock'),
         ('bull', 'Bull'), ('hospital', 'Hospital')], default='lactating',
    )
    capacity = fields.Integer(help="Number of animals the pen is made for. 0 means not known.")
    animal_ids = fields.One2many('farm.animal', 'pen_id', string='Animals')
    animal_count = fields.Integer(string='Animals in Pen', compute='_compute_occupancy')
    occupancy = fields.Float(string='Occupancy (%)', compute='_compute_occupancy')

    _name_farm_uniq = models.Constraint('unique(name, farm_id)', "This farm already has a pen with this name.")
    _capacity_positive = models.Constraint('CHECK(capacity >= 0)', "The capacity of a pen cannot be negative.")

    @api.depends('animal_ids.in_herd', 'capacity')
    def _compute_occupancy(self):
        counts = dict(self.env['farm.animal']._read_group(
            [('pen_id', 'in', self.ids), ('in_herd', '=', True)], ['pen_id'], ['__count']))
        for pen in self:
            pen.animal_count = counts.get(pen._origin, 0)
            pen.occupancy = 100 * pen.animal_count / pen.capacity if pen.capacity else 0

    @api.depends('name', 'farm_id.code')
    @api.depends_context('show_farm')
    def _compute_display_name(self):
        for pen in self:
            pen.display_name = f"{pen.farm_id.code} / {pen.name}" if self.env.context.get('show_farm') else pen.name

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for pen, vals in zip(self, vals_list):
            if not (default or {}).get('name'):
                vals['name'] = free_name(
                    self.env, pen.name, set(pen.farm_id.with_context(active_test=False).pen_ids.mapped('name')))
        return vals_list

    def action_view_animals(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_farm.farm_animal_action')
        return dict(action, domain=[('pen_id', 'in', self.ids)], context={
            'default_pen_id': self.id, 'default_farm_id': self.farm_id.id})
