# Who an unidentified milking probably was: the cow of the pen being milked that has not been milked yet. Never one of two.
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..tools.likeness import likeliest
from .iot_milk_session import MOST_KG

# Milkings of one animal are further apart than this. Pens are milked one after the other, each in some minutes.
ONE_MILKING, BESIDE = timedelta(hours=4), timedelta(minutes=15)
# Longer ago the animals stood in other pens.
RECENT = timedelta(days=2)
# What an animal usually gives at this time of day, from so many milkings at least.
USUAL_DAYS, USUAL_LEAST = 30, 3


class IotMilkSession(models.Model):
    _inherit = 'iot.milk.session'

    suggested_animal_id = fields.Many2one('farm.animal', string='Probable Animal', compute='_compute_suggestion')
    suggestion = fields.Char(
        string='Probably', compute='_compute_suggestion',
        help="The cow of the pen being milked that has not been milked yet and gives about as much. Empty where two could be.")

    @api.depends('animal_id', 'identification', 'start_datetime', 'yield_kg')
    @api.depends_context('lang')
    def _compute_suggestion(self):
        self.suggested_animal_id = self.suggestion = False
        recent = self.filtered(lambda session: (
            session.identification == 'unidentified' and session.id and session.active
            and session.start_datetime and session.start_datetime > fields.Datetime.now() - RECENT))
        for session, (animal, expected, is_only) in (recent and recent._suggestions() or {}).items():
            session.suggested_animal_id = animal
            values = {'animal': animal.display_name, 'pen': animal.pen_id.name, 'kg': f'{session.yield_kg:.1f}', 'expected': f'{expected:.1f}'}
            session.suggestion = self.env._(
                "%(animal)s: the only cow of %(pen)s not milked yet, %(kg)s of %(expected)s kg expected", **values) if is_only else self.env._(
                "%(animal)s: of the cows of %(pen)s not milked yet only she gives so much, %(kg)s of %(expected)s kg expected", **values)

    def _suggestions(self):
        """``{milking: (animal, what it usually gives, whether it is the only one left)}`` where that is clear."""
        around = self._milkings_around()
        Animal = self.env['farm.animal']
        pens = {
            session: Animal.browse({animal_id for animal_id, start, _kg in others
                                    if animal_id and abs(start - session.start_datetime) <= BESIDE}).pen_id
            for session, others in around.items()}
        cows = Animal.search([
            ('pen_id', 'in', list({pen.id for each in pens.values() for pen in each})), ('state', '=', 'lactating'),
            ('sex', '=', 'female')])
        left = {}
        for session, others in around.items():
            milked = {animal_id for animal_id, _start, _kg in others}
            left[session] = cows.filtered(
                lambda cow, here=pens[session], milked=milked: cow.pen_id in here and cow.id not in milked)
        usual, found = self._usual_yields(left), {}
        for session, animals in left.items():
            expected = {animal: usual.get((session.id, animal.id)) for animal in animals}
            nameless = [kg for animal_id, _start, kg in around[session] if not animal_id]
            if animal := likeliest(session.yield_kg, expected, nameless):
                found[session] = animal, expected[animal], len(animals) == 1
        return found

    def _milkings_around(self):
        """``{milking: [(animal id, start, kg)]}`` of the farm's other milkings at this time of day."""
        self.flush_model(['active', 'animal_id', 'farm_id', 'start_datetime', 'yield_kg'])
        around = {session: [] for session in self}
        for session_id, *other in self.env.execute_query(SQL(
                """SELECT s.id, o.animal_id, o.start_datetime, o.yield_kg
                     FROM iot_milk_session s
                     JOIN iot_milk_session o ON o.farm_id = s.farm_id AND o.id <> s.id AND o.active
                      AND o.start_datetime BETWEEN s.start_datetime - %s AND s.start_datetime + %s
                    WHERE s.id = ANY(%s)""", ONE_MILKING, ONE_MILKING, self.ids)):
            around[self.browse(session_id)].append(tuple(other))
        return around

    def _usual_yields(self, candidates):
        """``{(milking id, animal id): kg}`` that the candidates of each milking gave at that time of day in the days before."""
        pairs = [(session.id, animal.id) for session, animals in candidates.items() for animal in animals]
        if not pairs:
            return {}
        session_ids, animal_ids = map(list, zip(*pairs))
        return {row[:2]: row[2] for row in self.env.execute_query(SQL(
            """SELECT s.id, o.animal_id, avg(o.yield_kg)
                 FROM unnest(%s::int[], %s::int[]) AS pair (session_id, animal_id)
                 JOIN iot_milk_session s ON s.id = pair.session_id
                 JOIN iot_milk_session o ON o.animal_id = pair.animal_id AND o.start_datetime < s.start_datetime
                  AND o.start_datetime > s.start_datetime - %s * interval '1 day'
                WHERE o.active AND o.is_complete AND o.yield_kg <= %s AND o.milking_of_day IS NOT DISTINCT FROM s.milking_of_day
                GROUP BY s.id, o.animal_id HAVING count(*) >= %s""",
            session_ids, animal_ids, USUAL_DAYS, MOST_KG, USUAL_LEAST))}

    def action_take_suggestion(self):
        """It was the one that is suggested: a choice of whoever presses the button, as any other."""
        for session in self.filtered('suggested_animal_id'):
            session.animal_id = session.suggested_animal_id
