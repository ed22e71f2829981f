# An animal that leaves the herd lets go of what it carried: another one may get its tags.
from odoo import api, models

from .farm_animal import GONE_STATES

# What makes an animal leave, and what one that has left could get.
LEAVING_FIELDS = frozenset(('state', 'active', 'rfid_tag', 'ear_tag'))


class FarmAnimal(models.Model):
    _inherit = 'farm.animal'

    @api.model_create_multi
    def create(self, vals_list):
        animals = super().create(vals_list)
        if gone := animals._gone():
            gone._release()
        return animals

    def write(self, vals):
        answer = super().write(vals)
        if not LEAVING_FIELDS.isdisjoint(vals) and (gone := self._gone()):
            gone._release()
        return answer

    def _gone(self):
        """Those of these that are not in the herd: sold, dead, culled, archived."""
        return self.filtered(lambda animal: not animal.active or animal.state in GONE_STATES)

    def _release(self):
        """Take off what these animals carry. Which tags they had, and until when, stays on record."""
        # sudo: who may say that an animal has left thereby says that it carries nothing any more
        self.sudo().tag_ids.action_take_off()
        # The next one that gets a tag must not meet it here in the database.
        self.flush_recordset(['ear_tag', 'rfid_tag'])
