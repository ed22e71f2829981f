# Where people of the farm arrive, and their time zone.
import pytz

from odoo import api, models

FARM_GROUP = 'smart_dairy_farm.group_farm_user'


class ResUsers(models.Model):
    _inherit = 'res.users'

    def _farm_home_action(self):
        """The screen on which a person of the farm begins, as long as they have chosen none. For other addons to extend."""
        self.ensure_one()
        if not self.has_group(FARM_GROUP):
            return self.env['ir.actions.act_window']
        return self.env.ref('smart_dairy_farm.farm_animal_action', raise_if_not_found=False)

    @api.model
    def take_time_zone(self, zone):
        """Give whoever calls, a person of the farm without a time zone, that of their browser.

        Answers 'taken', 'unknown' when this server does not know it, or False when there is nothing to do.
        """
        user = self.env.user
        if user.tz or not user.has_group(FARM_GROUP):
            return False
        if zone not in pytz.all_timezones_set:
            return 'unknown'
        # sudo: their own time zone, which they may change in their preferences
        user.sudo().tz = zone
        return 'taken'
