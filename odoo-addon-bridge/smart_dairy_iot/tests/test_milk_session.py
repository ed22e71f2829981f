# Which animal a milking belongs to, and the correction by a person.
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .common import TAG, BridgeCase, milking


@tagged('-at_install', 'post_install')
class TestIdentification(BridgeCase):

    def unknown(self, source_id='barn/m1/1', **values):
        self.upsert(milking(source_id, **{'rfid_tag': None, 'expected_yield_kg': None, **values}))
        return self.session(source_id).with_user(self.staff)

    def history(self, animal, yields, before='2026-05-01 04:00:00'):
        end = datetime.fromisoformat(before)
        self.upsert(*[
            milking(f'history/{animal.id}/{n}', rfid_tag=animal.rfid_tag, yield_kg=kg, end_datetime=None,
                    start_datetime=str(end - timedelta(days=n + 1)))
            for n, kg in enumerate(yields)])

    def test_by_rfid_then_by_ear_tag(self):
        self.upsert(milking('a'), milking('b', rfid_tag=None, animal_ref='B-2'),
                    milking('c', rfid_tag='050000000000999', animal_ref='B-2'), milking('d', animal_ref='B-2'))
        self.assertEqual([self.session(key).animal_id.name for key in 'abcd'], ['Bella', 'Daisy', 'Daisy', 'Bella'])
        self.assertEqual({self.session(key).identification for key in 'abcd'}, {'identified'})

    def test_unknown_animals_are_kept_as_unidentified(self):
        self.upsert(milking('a', rfid_tag='050000000000999'), milking('b', rfid_tag=None), milking('c', rfid_tag='rubbish'))
        for key in 'abc':
            self.assertEqual((self.session(key).identification, self.session(key).animal_id.id), ('unidentified', False))
        self.assertEqual(self.session('c').rfid_tag, 'rubbish')

    def test_archived_animals_are_found_and_other_companies_are_not(self):
        self.cow.active = False
        self.upsert(milking('a'))
        self.assertEqual(self.session('a').animal_id, self.cow)
        company = self.env['res.company'].create({'name': 'Foreign'})
        self.connector.company_ids |= company
        foreign = self.env['farm.farm'].create({'name': 'Foreign', 'code': 'foreign', 'company_id': company.id})
        self.env['farm.animal'].create({'name': 'Alien', 'farm_id': foreign.id, 'rfid_tag': '050000000009777'})
        self.upsert(milking('b', rfid_tag='050000000009777'))
        self.assertEqual(self.session('b').identification, 'unidentified')

    def test_short_ear_tags_of_several_farms(self):
        second, third = self.env['farm.farm'].create([{'name': n, 'code': n} for n in ('second', 'third')])
        self.env['farm.animal'].create([{'name': farm.name, 'farm_id': farm.id, 'ear_tag': '12'} for farm in (second, third)])
        self.env['farm.animal'].create({'name': 'Single', 'farm_id': third.id, 'ear_tag': '13'})
        nameless = {'rfid_tag': None}
        self.upsert(milking('a', farm='second', animal_ref='12', **nameless), milking('b', animal_ref='12', **nameless),
                    milking('c', animal_ref='13', **nameless))
        self.assertEqual([self.session(key).animal_id.name for key in 'abc'], ['second', False, 'Single'])

    def test_a_later_revision_can_identify(self):
        self.unknown()
        self.upsert(milking(revision=2))
        self.assertEqual((self.session().animal_id, self.session().identification), (self.cow, 'identified'))

    def test_choosing_the_animal_in_the_form_corrects(self):
        self.history(self.cow, [20, 22])
        session = self.unknown()
        with Form(session) as form:
            form.animal_id = self.cow
        self.assertEqual((session.identification, session.corrected_by_id), ('corrected', self.staff))
        self.assertTrue(session.corrected_on)
        self.assertEqual(session.expected_yield_kg, 21)
        self.assertTrue(session.is_abnormal, '12.3 kg is 41 % below 21 kg')

    def test_thirty_percent_off_is_still_normal(self):
        self.history(self.cow, [10, 10])
        for kg, abnormal in ((13, False), (13.1, True), (7, False), (6.9, True)):
            session = self.unknown(f'edge/{kg}', yield_kg=kg)
            session.animal_id = self.cow
            self.assertEqual(session.is_abnormal, abnormal, kg)

    def test_a_correction_is_judged_by_the_limit_that_came_with_the_milking(self):
        self.history(self.cow, [10, 10])
        for percent, abnormal in ((20, True), (25, False), (None, False)):
            session = self.unknown(f'limit/{percent}', yield_kg=12.1, abnormal_percent=percent)
            session.animal_id = self.cow
            self.assertEqual(session.is_abnormal, abnormal, percent)
        session = self.unknown('least', yield_kg=20, expected_least=9)
        session.animal_id = self.cow
        self.assertEqual((session.expected_yield_kg, session.is_abnormal), (False, False), 'too little history')
        session = self.unknown('days', yield_kg=20, expected_days=1)
        session.animal_id = self.cow
        self.assertEqual((session.expected_yield_kg, session.is_abnormal), (10, True))

    def test_a_late_revision_stays_with_the_animal_of_its_time(self):
        self.upsert(milking())
        self.cow.rfid_tag = False
        self.other_cow.rfid_tag = TAG
        self.assertEqual(self.status(milking(revision=2, yield_kg=13)), ['updated'])
        self.assertEqual((self.session().animal_id, self.session().yield_kg), (self.cow, 13))
        now = str(fields.Datetime.now() + timedelta(seconds=1))
        self.upsert(milking('new', start_datetime=now, end_datetime=None))
        self.assertEqual(self.session('new').animal_id, self.other_cow)

    def test_a_corrected_span_moves_milkings_only_when_told_to(self):
        self.history(self.other_cow, [10, 10])
        self.upsert(milking(), milking('chosen'), milking('before', start_datetime='2026-04-01 04:00:00', end_datetime=None))
        self.session('chosen').with_user(self.staff).animal_id = self.cow
        old = self.cow.tag_ids.filtered(lambda span: span.kind == 'rfid').with_user(self.staff)
        old.valid_to = '2026-04-15 00:00:00'
        new = self.env['farm.animal.tag'].with_user(self.staff).create({
            'animal_id': self.other_cow.id, 'tag': TAG, 'valid_from': '2026-04-15 00:00:00'})
        self.assertEqual(self.session().animal_id, self.cow)
        answer = (old | new).action_move_milkings()
        self.assertEqual(answer['params']['message'], '1 milkings have another animal now.')
        self.assertEqual([self.session(key).animal_id for key in ('barn/m1/1', 'chosen', 'before')],
                         [self.other_cow, self.cow, self.cow])
        self.assertEqual((self.session().identification, self.session().expected_yield_kg), ('identified', 10))

    def test_who_decided_is_not_written_by_hand(self):
        self.upsert(milking())
        with self.assertRaises(AccessError):
            self.session().with_user(self.staff).write({'identification': 'corrected'})

    def test_the_mean_is_of_30_days_before_and_of_complete_milkings(self):
        session = self.unknown()
        self.history(self.cow, [10])
        start = '2026-05-01 04:00:00'
        self.upsert(
            milking('incomplete', is_complete=False, yield_kg=1, start_datetime='2026-04-20 04:00:00', end_datetime=None),
            milking('no yield', yield_kg=None, start_datetime='2026-04-21 04:00:00', end_datetime=None),
            milking('too old', yield_kg=50, start_datetime='2026-03-31 04:00:00', end_datetime=None),
            milking('later', yield_kg=50, start_datetime='2026-05-01 04:00:01', end_datetime=None))
        self.assertEqual(str(session.start_datetime), start)
        session.animal_id = self.cow
        self.assertEqual(session.expected_yield_kg, 10)
        no_history = self.unknown('y')
        no_history.animal_id = self.other_cow
        self.assertIs(no_history.expected_yield_kg, False)
        self.assertFalse(no_history.is_abnormal)

    def test_a_correction_survives_later_revisions(self):
        self.history(self.other_cow, [10, 10])
        session = self.unknown()
        session.animal_id = self.other_cow
        self.assertEqual(self.status(milking(revision=2, yield_kg=15.5, expected_yield_kg=3, is_abnormal=True)), ['updated'])
        self.env.invalidate_all()
        self.assertEqual((session.animal_id, session.identification), (self.other_cow, 'corrected'))
        self.assertEqual((session.expected_yield_kg, session.is_abnormal), (10, False))
        self.assertEqual((session.yield_kg, session.revision), (15.5, 2), 'the measurement itself follows')
        self.assertEqual(session.rfid_tag, self.cow.rfid_tag)

    def test_an_identified_milking_can_be_corrected_and_a_correction_taken_back(self):
        self.upsert(milking())
        session = self.session().with_user(self.staff)
        session.animal_id = self.other_cow
        self.assertEqual(session.identification, 'corrected')
        session.animal_id = False
        self.assertEqual((session.identification, session.corrected_by_id.id), ('unidentified', False))
        self.upsert(milking(revision=2))
        self.assertEqual((session.animal_id, session.identification), (self.cow, 'identified'))

    def test_several_at_once_get_their_own_expectation(self):
        self.history(self.cow, [10])
        both = self.unknown('a') | self.unknown('b', start_datetime='2026-01-01 04:00:00', end_datetime=None)
        both.animal_id = self.cow
        self.assertEqual(both.mapped('identification'), ['corrected', 'corrected'])
        self.assertEqual(both.mapped('expected_yield_kg'), [10, False])

    def test_measurements_are_not_for_people_to_change(self):
        self.upsert(milking())
        session = self.session()
        with self.assertRaisesRegex(AccessError, 'Yield'):
            session.with_user(self.staff).yield_kg = 40
        session.with_user(self.staff).note = 'kicked'
        self.env.user.group_ids |= self.env.ref('smart_dairy_iot.group_iot_admin')
        session.yield_kg = 14
        self.assertEqual(session.yield_kg, 14)

    def test_match_again_after_the_rfid_was_entered(self):
        late, never = self.unknown('late', rfid_tag='050000000009003'), self.unknown('never', rfid_tag='050000000009004')
        newcomer = self.env['farm.animal'].create({
            'name': 'Newcomer', 'farm_id': self.farm.id, 'rfid_tag': '050000000009003'})
        answer = (late | never).action_match_again()
        self.assertEqual(answer['params']['message'], '1 of 2 milkings have their animal now.')
        self.assertEqual((late.animal_id, late.identification), (newcomer, 'identified'))
        self.assertEqual(never.identification, 'unidentified')

    def test_production_summary_of_an_animal(self):
        now = datetime.now().replace(microsecond=0)
        self.upsert(*[
            milking(f'sum/{hours}', yield_kg=kg, end_datetime=None, start_datetime=str(now - timedelta(hours=hours)))
            for hours, kg in ((2, 10), (14, 8), (26, 12), (24 * 20, 14))])
        cow = self.cow.with_user(self.staff)
        self.assertEqual(cow.milk_session_count, 4)
        self.assertEqual(cow.yield_last_day, 18)
        self.assertAlmostEqual(cow.yield_day_mean, 30 / 7)
        self.assertEqual(cow.yield_milking_mean, 11)
        self.assertEqual(str(cow.last_milking), str(now - timedelta(hours=2)))
        self.assertIs(self.other_cow.yield_milking_mean, False)
