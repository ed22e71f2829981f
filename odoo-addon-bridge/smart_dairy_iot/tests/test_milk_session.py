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

    def test_a_correction_is_of_the_milking_and_not_of_its_key(self):
        session = self.unknown()
        session.animal_id = self.other_cow
        moved = {'start_datetime': '2026-05-01 03:50:00', 'end_datetime': '2026-05-01 04:01:00'}
        self.upsert(milking(revision=2, **moved))
        self.assertEqual((session.animal_id, session.identification), (self.other_cow, 'corrected'), 'its time was corrected')
        # An earlier milking of the same number came late, and has the number alone now.
        earlier = {'start_datetime': '2026-04-30 16:00:00', 'end_datetime': '2026-04-30 16:06:30'}
        self.upsert(milking(revision=3, expected_yield_kg=9, **earlier))
        self.env.invalidate_all()
        self.assertEqual((session.animal_id, session.identification), (self.cow, 'identified'))
        self.assertEqual((session.corrected_by_id.id, session.corrected_on, session.expected_yield_kg), (False, False, 9))

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


@tagged('-at_install', 'post_install')
class TestMarks(BridgeCase):
    """What the connector says of a milking's record: that it is none, that its meter contradicted itself, that its clock was off."""

    def void(self, source_id='barn/m1/1', revision=2, **values):
        return milking(source_id, revision, is_void=True, yield_kg=0, is_complete=False, **values)

    def everywhere(self, source_id='barn/m1/1'):
        return self.env['iot.milk.session'].with_context(active_test=False).search([('source_id', '=', source_id)])

    def test_a_milking_that_is_none_is_seen_nowhere_and_counts_nowhere(self):
        now = datetime.now().replace(microsecond=0)
        times = {'start_datetime': str(now - timedelta(hours=2)), 'end_datetime': None}
        self.upsert(milking('kept', **times), milking(**times))
        self.assertEqual(self.status(self.void(rfid_tag=TAG, **times)), ['updated'])
        self.assertEqual(self.session(), self.env['iot.milk.session'], 'not in a list')
        record = self.everywhere()
        self.assertEqual((record.active, record.is_void, record.yield_kg), (False, True, 0), 'kept, not deleted')
        cow = self.cow.with_user(self.staff)
        self.assertEqual((cow.milk_session_count, cow.yield_last_day, cow.yield_milking_mean), (1, 12.345, 12.345))
        self.assertEqual(cow.milk_session_ids, self.session('kept'))
        self.assertEqual(self.session('kept').device_id.milk_session_count, 1)
        [(count, kg)] = self.env['iot.milk.session']._read_group(
            [('farm_id', '=', self.farm.id)], [], ['__count', 'yield_kg:sum'])
        self.assertEqual((count, kg), (1, 12.345))
        self.assertEqual(
            self.env['iot.milk.session'].with_user(self.staff).search(
                [('source_id', 'in', ('kept', 'barn/m1/1')), ('is_void', '=', True), ('active', '=', False)]), record,
            'the filter No Milking finds it')

    def test_it_may_come_as_none_at_once_and_comes_back_with_a_later_revision(self):
        self.assertEqual(self.status(self.void(revision=1)), ['created'])
        self.assertFalse(self.session())
        self.assertEqual(self.status(self.void(revision=1), milking(revision=2)), ['unchanged', 'updated'])
        self.assertEqual((self.session().active, self.session().is_void, self.session().yield_kg), (True, False, 12.345))
        self.assertEqual(len(self.everywhere()), 1)

    def test_a_person_cannot_hide_milk_and_what_an_administrator_archives_stays_so(self):
        self.upsert(milking())
        with self.assertRaises(AccessError):
            self.session().with_user(self.staff).active = False
        self.env.user.group_ids |= self.env.ref('smart_dairy_iot.group_iot_admin')
        self.session().active = False
        self.assertEqual(self.status(milking(revision=2, yield_kg=13)), ['updated'])
        self.assertEqual((self.everywhere().active, self.everywhere().yield_kg), (False, 13))

    def test_a_correction_outlives_that_it_was_none(self):
        self.upsert(milking())
        self.session().with_user(self.staff).animal_id = self.other_cow
        self.upsert(self.void())
        self.upsert(milking(revision=3))
        self.assertEqual((self.session().animal_id, self.session().identification), (self.other_cow, 'corrected'))

    def test_an_alert_finds_the_milking_that_is_none(self):
        self.upsert(self.void(revision=1))
        self.upsert({
            'source': 'smart_dairy', 'source_id': 'a', 'revision': 1, 'farm': 'barn', 'alert_type': 'high_scc',
            'severity': 'high', 'state': 'resolved', 'message': 'x', 'raised_at': '2026-05-01 04:07:00',
            'milk_session': 'barn/m1/1'}, model='Alert')
        self.assertEqual(self.env['iot.alert'].search([('source_id', '=', 'a')]).milk_session_id, self.everywhere())

    def test_doubts_come_and_go_with_the_revisions_and_are_found(self):
        self.upsert(milking(has_conflict=True, has_clock_doubt=True))
        session = self.session()
        self.assertEqual((session.has_conflict, session.has_clock_doubt, session.active), (True, True, True))
        for name in ('has_conflict', 'has_clock_doubt'):
            self.assertIn(session, self.env['iot.milk.session'].with_user(self.staff).search([(name, '=', True)]))
        with self.assertRaises(AccessError):
            session.with_user(self.staff).has_conflict = False
        self.upsert(milking(revision=2, has_conflict=None))
        self.assertEqual((session.has_conflict, session.has_clock_doubt), (False, False))

    def test_the_form_says_what_is_to_be_read_with_care(self):
        for language, words in (('en_US', ('No Milking', 'Contradictory', 'Clock in Doubt')),
                                ('bn_IN', ('দোহন নয়', 'পরস্পরবিরোধী', 'ঘড়ি সন্দেহজনক'))):
            self.env['res.lang']._activate_lang(language)
            if language != 'en_US':
                self.env['ir.module.module'].search([('name', '=', 'smart_dairy_iot')])._update_translations([language])
            for view_type in ('form', 'kanban', 'search'):
                arch = self.env['iot.milk.session'].with_context(lang=language).get_view(view_type=view_type)['arch']
                for word in words:
                    self.assertIn(word, arch, f'{view_type} {language}')
