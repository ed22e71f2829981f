# Who is to be dried off, and who is fresh: lists of the day.
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models

# Days in milk in which a cow is watched as fresh: the weeks of ketosis, milk fever and retained placenta.
FRESH_DAYS = 30
DRY_DAYS = 60


class FarmFarm(models.Model):
    _inherit = 'farm.farm'

    dry_days = fields.Integer(
        string='Dry Period (days)', default=DRY_DAYS, aggregator=None,
        help="How long before the expected calving a cow is dried off on this farm. Usual are 60 days.")

    _dry_days_positive = models.Constraint('CHECK(dry_days >= 0)', "The dry period cannot be negative.")


class FarmAnimal(models.Model):
    _inherit = 'farm.animal'

    expected_calving_date = fields.Date(
        string='Expected Calving', tracking=True, copy=False,
        help="From insemination or pregnancy check. Some weeks before it the cow is to be dried off. Empty: not pregnant, or not known.")
    dry_off_date = fields.Date(
        string='Dry Off on', compute='_compute_dry_off_date',
        help="Expected calving less the dry period of the farm, for animals in milk.")
    is_due_to_dry = fields.Boolean(
        string='To Dry Off', compute='_compute_is_due_to_dry', search='_search_is_due_to_dry',
        help="In milk, and the day to dry her off has come.")
    is_fresh = fields.Boolean(
        string='Fresh', compute='_compute_is_fresh', search='_search_is_fresh', help="In milk for 30 days at most.")

    @api.depends('state', 'expected_calving_date', 'farm_id.dry_days')
    def _compute_dry_off_date(self):
        for animal in self:
            expected = animal.state == 'lactating' and animal.expected_calving_date
            animal.dry_off_date = expected and expected - timedelta(days=animal.farm_id.dry_days)

    @api.depends('dry_off_date', 'farm_id.tz')
    def _compute_is_due_to_dry(self):
        for animal in self:
            animal.is_due_to_dry = bool(animal.dry_off_date) and animal.dry_off_date <= animal.farm_id._today()

    def _search_is_due_to_dry(self, operator, value):
        if operator != 'in':
            return NotImplemented
        found = fields.Domain.OR(
            [('farm_id', 'in', farms.ids), ('expected_calving_date', '<=', latest)]
            for latest, farms in self._farms_by(lambda farm: farm._today() + timedelta(days=farm.dry_days)))
        found &= fields.Domain('state', '=', 'lactating')
        return found if True in value else ~found

    @api.depends('days_in_milk', 'state', 'last_calving_date')
    def _compute_is_fresh(self):
        for animal in self:
            in_milk = animal.state == 'lactating' and animal.last_calving_date
            animal.is_fresh = bool(in_milk) and (animal.farm_id._today() - in_milk).days <= FRESH_DAYS

    def _search_is_fresh(self, operator, value):
        if operator != 'in':
            return NotImplemented
        found = fields.Domain.OR(
            [('farm_id', 'in', farms.ids), ('last_calving_date', '>=', earliest)]
            for earliest, farms in self._farms_by(lambda farm: farm._today() - timedelta(days=FRESH_DAYS)))
        found &= fields.Domain('state', '=', 'lactating')
        return found if True in value else ~found

    @api.model
    def _farms_by(self, key):
        """(value, farms) for each value of ``key``: the farms that one has today share a day, and mostly a rule."""
        farms = defaultdict(self.env['farm.farm'].browse)
        for farm in self.env['farm.farm'].with_context(active_test=False).search([]):  # pylint: disable=no-search-all
            farms[key(farm)] |= farm
        return farms.items()

    def action_calved(self):
        answer = super().action_calved()
        self.write({'expected_calving_date': False})
        return answer
