# What cannot be: a cow in two stalls at once, more milk than a cow gives, a tag of an animal that has left.
from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from .common import BridgeCase, milking


@tagged('-at_install', 'post_install')
class TestTwoStalls(BridgeCase):

    def at(self, key, start, end, stall, **values):
        return milking(key, **{
            'device_uid': f'm{stall}', 'stall': stall, 'start_datetime': f'2026-05-01 {start}', 'end_datetime': end and f'2026-05-01 {end}',
            **values})

    def alerts(self, key, state='new'):
        return self.env['iot.alert'].search([
            ('milk_session_id', 'in', self.session(key).ids), ('alert_type', '=', 'milked_in_two_stalls'), ('state', '=', state)])

    def test_both_milkings_are_marked_whatever_the_order(self):
        first, second = self.at('a', '04:00:00', '04:06:00', '3'), self.at('b', '04:05:59', '04:12:00', '5')
        for keys, batches in (('ab', [[first, second]]), ('cd', [[dict(second, source_id='d')], [dict(first, source_id='c')]])):
            self.env['iot.alert'].search([('farm_id', '=', self.farm.id)]).unlink()
            self.env['iot.milk.session'].search([('farm_id', '=', self.farm.id)]).unlink()
            for batch in batches:
                self.upsert(*batch)
            with self.subTest(keys=keys):
                for key, text in zip(keys, ('at stall 3 and at stall 5', 'at stall 5 and at stall 3')):
                    [found] = self.alerts(key)
                    self.assertEqual((found.severity, found.animal_id), ('medium', self.cow))
                    self.assertIn(text, found.message)
        [shown] = self.env['iot.alert'].search([
            ('episode_id', '=', False), ('state', '!=', 'resolved'), ('alert_type', '=', 'milked_in_two_stalls'),
            ('milk_session_id', '!=', False)])
        self.assertEqual((shown.occurrences, self.cow.iot_alert_count), (2, 1), 'one cow, one question')

    def test_what_is_no_contradiction(self):
        self.upsert(
            self.at('a', '04:00:00', '04:06:00', '3'), self.at('after', '04:06:00', '04:12:00', '5'),
            self.at('same stall', '04:01:00', '04:05:00', '3', device_uid='m9'),
            self.at('other cow', '04:00:00', '04:06:00', '6', rfid_tag=self.other_cow.rfid_tag),
            self.at('clock', '04:00:00', '04:06:00', '7', has_clock_doubt=True), self.at('no end', '03:50:00', None, '8'),
            self.at('none', '04:00:00', '04:06:00', '9', is_void=True))
        for key in ('a', 'after', 'same stall', 'other cow', 'clock', 'no end'):
            self.assertFalse(self.alerts(key), key)

    def test_a_correction_ends_it_and_can_bring_it(self):
        self.upsert(self.at('a', '04:00:00', '04:06:00', '3'), self.at('b', '04:01:00', '04:07:00', '5'))
        self.session('b').with_user(self.staff).animal_id = self.other_cow
        self.assertFalse(self.alerts('a') | self.alerts('b'))
        self.assertEqual(len(self.alerts('a', 'resolved') | self.alerts('b', 'resolved')), 2)
        self.session('b').with_user(self.staff).animal_id = self.cow
        self.assertEqual(len(self.alerts('a') | self.alerts('b')), 2)

    def test_a_revision_ends_it_and_can_bring_it(self):
        self.upsert(self.at('a', '04:00:00', '04:06:00', '3'), self.at('b', '04:01:00', '04:07:00', '5'))
        self.upsert(self.at('b', '04:20:00', '04:26:00', '5', revision=2))
        self.assertFalse(self.alerts('a') | self.alerts('b'))
        self.upsert(self.at('b', '04:05:00', '04:10:00', '5', revision=3))
        self.assertEqual(len(self.alerts('a') | self.alerts('b')), 2)
        self.upsert(self.at('b', '04:05:00', '04:10:00', '5', revision=4, is_void=True))
        self.assertFalse(self.alerts('a'))

    def test_two_calls_at_once_are_seen_by_the_schedule(self):
        self.upsert(self.at('a', '04:00:00', '04:06:00', '3'), self.at('b', '04:01:00', '04:07:00', '5'))
        (self.alerts('a') | self.alerts('b')).unlink()
        self.env['iot.alert']._cron_complete_references()
        self.assertEqual(len(self.alerts('a') | self.alerts('b')), 2)


@tagged('-at_install', 'post_install')
class TestYield(BridgeCase):

    def test_nobody_enters_what_no_cow_gives(self):
        manager = new_test_user(self.env, 'enterer', 'smart_dairy_farm.group_farm_manager')
        values = {'farm_id': self.farm.id, 'start_datetime': '2026-05-01 04:00:00'}
        Session = self.env['iot.milk.session'].with_user(manager)
        with self.assertRaisesRegex(ValidationError, '300 kg in one milking cannot be'):
            Session.create({**values, 'yield_kg': 300})
        session = Session.create({**values, 'yield_kg': 100})
        with self.assertRaisesRegex(ValidationError, 'cannot be'):
            session.yield_kg = 100.5

    def test_what_a_meter_says_is_kept_and_counts_in_no_mean(self):
        self.assertEqual(self.status(
            milking('wrong', yield_kg=300, start_datetime='2026-04-30 04:00:00', end_datetime=None),
            milking('right', yield_kg=10, start_datetime='2026-04-29 04:00:00', end_datetime=None),
            milking('asked', rfid_tag=None)), ['created'] * 3)
        self.session('asked').with_user(self.staff).animal_id = self.cow
        self.assertEqual(self.session('asked').expected_yield_kg, 10)


@tagged('-at_install', 'post_install')
class TestGone(BridgeCase):

    def test_a_released_tag_still_says_who_has_left(self):
        self.cow.state = 'sold'
        later = {'start_datetime': '2099-05-01 04:00:00', 'end_datetime': '2099-05-01 04:06:30'}
        self.upsert(milking(**later), milking('old'))
        self.assertFalse(self.session().animal_id)
        self.assertEqual(self.session('old').animal_id, self.cow, 'before she left, it was hers')
        [found] = self.session().alert_ids
        self.assertEqual((found.alert_type, found.severity), ('milked_not_in_herd', 'high'))
        self.assertIn('Bella', found.message)
        # The tag goes to another cow: then it is that one's.
        self.other_cow.rfid_tag = milking()['rfid_tag']
        self.upsert(milking('new', **later))
        self.assertEqual(self.session('new').animal_id, self.other_cow)
        self.assertFalse(self.session('new').alert_ids)

    def test_a_tag_that_was_only_taken_off_says_nothing(self):
        # Dry, so that something would be said of her.
        self.cow.write({'rfid_tag': False, 'state': 'dry'})
        self.upsert(milking(start_datetime=str(fields.Datetime.add(fields.Datetime.now(), days=1)), end_datetime=None))
        self.assertFalse(self.session().animal_id or self.session().alert_ids)
