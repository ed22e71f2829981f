# The time zone of a farm: in it its days begin, and morning and evening. Asked, never guessed: what is known is a proposal.
from datetime import UTC, datetime, time

from pytz import timezone

from odoo import api, fields, models
from odoo.addons.base.models.res_partner import _tz_get


class FarmFarm(models.Model):
    _inherit = 'farm.farm'

    tz = fields.Selection(
        _tz_get, string='Time Zone', tracking=True,
        help="In which the days of this farm begin, and its mornings and evenings. Devices that tell local time tell this one.")
    tz_proposal = fields.Char(
        string='Proposed Time Zone', compute='_compute_tz_proposal',
        help="That of the farm's address, of its company, of its manager, or your own, whichever is known first.")

    @api.depends('address_id.tz', 'company_id.partner_id.tz', 'manager_id.tz')
    @api.depends_context('uid')
    def _compute_tz_proposal(self):
        for farm in self:
            known = (farm.address_id.tz, farm.company_id.partner_id.tz, farm.manager_id.tz, self.env.user.tz)
            farm.tz_proposal = next(filter(None, known), False)

    def action_take_tz(self):
        for farm in self.filtered(lambda farm: farm.tz_proposal and not farm.tz):
            farm.tz = farm.tz_proposal

    def _zone(self):
        """The zone of this farm's days; as long as nobody has said it, that of whoever looks."""
        return timezone(self.tz or self.env.context.get('tz') or self.env.user.tz or 'UTC')

    def _today(self):
        """The day that it is on this farm."""
        return datetime.now(UTC).astimezone(self._zone()).date()

    def _day_start(self):
        """When today began on this farm, as UTC without a zone, which is how moments are stored."""
        return self._zone().localize(datetime.combine(self._today(), time.min)).astimezone(UTC).replace(tzinfo=None)
