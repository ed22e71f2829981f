# Who has not been milked today: the list that is looked at when the milking is over.
from odoo import api, fields, models


class FarmAnimal(models.Model):
    _inherit = 'farm.animal'

    is_not_milked_today = fields.Boolean(
        string='Not Milked Today', compute='_compute_is_not_milked_today', search='_search_is_not_milked_today',
        help="In milk, and no milking since midnight of the farm.")

    def _compute_is_not_milked_today(self):
        missing = self.search([('id', 'in', self.ids), ('is_not_milked_today', '=', True)])
        for animal in self:
            animal.is_not_milked_today = animal._origin in missing

    @api.model
    def _search_is_not_milked_today(self, operator, value):
        if operator != 'in':
            return NotImplemented
        # The day of each farm: at one moment it is today here and tomorrow there.
        found = fields.Domain.OR(
            [('farm_id', 'in', farms.ids), ('milk_session_ids', 'not any', [('start_datetime', '>=', start)])]
            for start, farms in self._farms_by(lambda farm: farm._day_start()))
        found &= fields.Domain('state', '=', 'lactating')
        return found if True in value else ~found
