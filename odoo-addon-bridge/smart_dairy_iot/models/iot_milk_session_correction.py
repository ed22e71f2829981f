# Whose a milking was: by what was read, by a person's choice, and what follows from it. A thousand at a time as well as one.
from collections import defaultdict
from contextlib import contextmanager

from odoo import fields, models
from odoo.tools import SQL

from .iot_milk_session import MOST_KG


class IotMilkSession(models.Model):
    _inherit = 'iot.milk.session'

    def write(self, vals):
        if 'animal_id' not in vals or self.env.context.get('smart_dairy_batch'):
            return super().write(vals)
        with self._animals_change():
            return super().write(vals)

    @contextmanager
    def _animals_change(self):
        """Around a change of the animals of these milkings: what follows from it comes afterwards, once for all of them."""
        yield

    def _correction(self, animal_id):
        """Values that go with a person's choice of ``animal_id`` for these milkings."""
        if not animal_id:
            return {'identification': 'unidentified', 'corrected_by_id': False, 'corrected_on': False}
        return {'identification': 'corrected', 'corrected_by_id': self.env.uid, 'corrected_on': fields.Datetime.now()}

    def _expectations(self):
        """(values, milkings): expected yield and abnormality of these milkings as their animals' yields were in the days before, by
        the rule that came with each."""
        self.flush_model(['active', 'animal_id', 'expected_days', 'is_complete', 'start_datetime', 'yield_kg'])
        # SQL, because each milking has days of its own; and whoever may choose the animal need not see all of its milkings.
        means = {row[0]: row[1:] for row in self.env.execute_query(SQL(
            """SELECT s.id, avg(o.yield_kg), count(*)
                 FROM iot_milk_session s
                 JOIN iot_milk_session o
                   ON o.animal_id = s.animal_id AND o.id <> s.id AND o.start_datetime < s.start_datetime
                  AND o.start_datetime >= s.start_datetime - s.expected_days * interval '1 day'
                WHERE s.id = ANY(%s) AND o.active AND o.is_complete AND o.yield_kg <= %s
                GROUP BY s.id""", self.ids, MOST_KG))}
        alike = defaultdict(list)
        for session in self:
            alike[session._judged(*means.get(session.id, (None, 0)))].append(session.id)
        return [
            ({'expected_yield_kg': expected, 'is_abnormal': abnormal}, self.browse(ids))
            for (expected, abnormal), ids in alike.items()]

    def _judged(self, mean, count):
        """(expected yield, abnormal) of this milking, whose animal gave ``mean`` kg in ``count`` milkings before."""
        if self.abnormal_percent is False or self.expected_days is False or not mean or count < (self.expected_least or 1):
            return False, False
        # The hair's breadth keeps 13 kg of 10 kg, which is exactly 30 %, from being more than 30 % by rounding.
        limit = mean * self.abnormal_percent / 100 + 1e-6
        return mean, self.yield_kg is not False and abs(self.yield_kg - mean) > limit

    def action_match_again(self):
        """Look for the animals of unidentified milkings again, after RFID or ear tags were entered."""
        unknown = self.filtered(lambda session: session.identification == 'unidentified')
        matched = {session: animal for session, animal in unknown._matching_animals().items() if animal}
        unknown._identify(matched)
        return {
            'type': 'ir.actions.client', 'tag': 'display_notification',
            'params': {
                'type': 'success' if matched else 'warning',
                'message': self.env._("%(found)s of %(all)s milkings have their animal now.",
                                      found=len(matched), all=len(self)),
                'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }

    def _matching_animals(self):
        """``{milking: animal}``: who carried what was read when each of these began; an empty animal where nobody did."""
        found = {}
        for company, sessions in self.grouped('company_id').items():
            holders = self.env['farm.animal.tag']._holders(
                [company.id], set(filter(None, sessions.mapped('rfid_tag'))), set(filter(None, sessions.mapped('animal_ref'))))
            for session in sessions:
                found[session] = holders.animal_id(
                    company.id, session.farm_id.id, session.start_datetime, session.rfid_tag, session.animal_ref)
        # Browsed together, they are read together.
        animals = {animal.id: animal for animal in self.env['farm.animal'].browse(set(filter(None, found.values())))}
        return {session: animals.get(animal_id, self.env['farm.animal']) for session, animal_id in found.items()}

    def _identify(self, animals):
        """Give milkings, ``{milking: animal}``, to the animals that their tags say, or to none."""
        if not animals:
            return
        ids = defaultdict(list)
        for session, animal in animals.items():
            ids[animal.id].append(session.id)
        # sudo: farm staff may not write measurements, and this one only follows from them
        own = self.sudo().browse(session.id for session in animals)
        with own._animals_change():
            for animal_id, session_ids in ids.items():
                own.browse(session_ids).with_context(smart_dairy_batch=True).write({
                    'animal_id': animal_id, 'identification': 'identified' if animal_id else 'unidentified'})
            for values, sessions in own._expectations():
                sessions.write(values)
