# Milkings follow a corrected span of a tag when a person says so.
from odoo import api, fields, models


class FarmAnimalTag(models.Model):
    _inherit = 'farm.animal.tag'

    def action_move_milkings(self):
        """Give the milkings at which these numbers were read to the animals that carried them then.

        A milking whose animal a person has chosen stays as chosen.
        """
        self.check_access('write')
        read = [
            [('rfid_tag' if span.kind == 'rfid' else 'animal_ref', '=', span.tag), ('company_id', '=', span.company_id.id)]
            for span in self]
        sessions = self.env['iot.milk.session'].search(
            fields.Domain.OR(read) & fields.Domain('identification', '!=', 'corrected'))
        others = {
            session: animal for session, animal in sessions._matching_animals().items() if animal != session.animal_id}
        sessions._identify(others)
        moved = len(others)
        return {
            'type': 'ir.actions.client', 'tag': 'display_notification',
            'params': {
                'type': 'success' if moved else 'info',
                'message': self.env._("%s milkings have another animal now.", moved),
            },
        }

    @api.model_create_multi
    def create(self, vals_list):
        spans = super().create(vals_list)
        spans.animal_id._announce()
        return spans

    def write(self, vals):
        animals = self.animal_id
        answer = super().write(vals)
        (animals | self.animal_id)._announce()
        return answer

    @api.ondelete(at_uninstall=False)
    def _announce_animals(self):
        # Among what the connector knows of an animal are its tags of today.
        self.animal_id._announce()
