# Who an unidentified milking probably was; never one of two.
from datetime import timedelta

from odoo import fields
from odoo.tests import BaseCase, tagged

from ..tools.likeness import likeliest
from .common import BridgeCase, milking


class TestLikeness(BaseCase):

    def test_the_one_that_it_can_be(self):
        self.assertEqual(likeliest(12.6, {'ivy': 12.4}), 'ivy')
        self.assertEqual(likeliest(12.6, {'ivy': 12.4, 'may': 25.0}), 'ivy')

    def test_never_one_of_two(self):
        for expected in ({'ivy': 12.4, 'may': 13.0}, {'ivy': 12.4, 'may': 17.0}, {'ivy': 12.4, 'may': None}, {'ivy': None}, {}):
            with self.subTest(expected=expected):
                self.assertIsNone(likeliest(12.6, expected))

    def test_not_if_it_does_not_fit(self):
        self.assertIsNone(likeliest(8.0, {'ivy': 12.4}))
        self.assertIsNone(likeliest(False, {'ivy': 12.4}))

    def test_not_if_another_milking_could_be_hers(self):
        self.assertIsNone(likeliest(12.6, {'ivy': 12.4}, [11.0]))
        self.assertEqual(likeliest(12.6, {'ivy': 12.4}, [25.0, None]), 'ivy')


@tagged('-at_install', 'post_install')
class TestSuggestion(BridgeCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pen, cls.other_pen = cls.env['farm.pen'].create([{'name': name, 'farm_id': cls.farm.id} for name in ('North', 'South')])
        cls.now = fields.Datetime.now().replace(second=0) - timedelta(hours=2)
        cls.cows = cls.env['farm.animal'].create([
            {'name': name, 'farm_id': cls.farm.id, 'pen_id': cls.pen.id, 'rfid_tag': f'05000000000777{n}'}
            for n, name in enumerate(('Ivy', 'May', 'Fay'))])
        cls.env['farm.animal'].create({'name': 'Far', 'farm_id': cls.farm.id, 'pen_id': cls.other_pen.id})
        cls.usual = dict(zip(cls.cows, (12.4, 25, 18)))

    def milk(self, key, minutes, cow=None, **values):
        start = self.now + timedelta(minutes=minutes)
        self.upsert(milking(key, **{
            'rfid_tag': cow.rfid_tag if cow else None, 'start_datetime': str(start), 'end_datetime': str(start + timedelta(minutes=6)),
            'yield_kg': self.usual[cow] if cow else 12.6, **values}))
        return self.session(key).with_user(self.staff)

    def history(self, *cows):
        for cow in cows or self.cows:
            for day in range(1, 5):
                self.milk(f'{cow.id}/{day}', -1440 * day, cow)

    def test_the_only_cow_of_the_pen_that_is_left(self):
        self.history()
        self.milk('may', -8, self.cows[1])
        self.milk('fay', -4, self.cows[2])
        session = self.milk('who', 0)
        self.assertEqual(session.suggested_animal_id, self.cows[0])
        self.assertEqual(session.suggestion, 'Ivy: the only cow of North not milked yet, 12.6 of 12.4 kg expected')
        session.action_take_suggestion()
        self.assertEqual((session.animal_id, session.identification, session.corrected_by_id), (self.cows[0], 'corrected', self.staff))
        self.assertFalse(session.suggestion)

    def test_two_that_could_be_are_no_suggestion(self):
        self.usual[self.cows[1]] = 13
        self.history()
        self.milk('fay', -4, self.cows[2])
        session = self.milk('who', 0)
        self.assertFalse(session.suggestion or session.suggested_animal_id)
        self.milk('may', 4, self.cows[1])
        self.env.invalidate_all()
        self.assertEqual(session.suggested_animal_id, self.cows[0])

    def test_the_only_one_that_gives_so_much(self):
        self.history()
        self.milk('fay', -4, self.cows[2])
        self.assertIn('only she gives so much', self.milk('who', 0).suggestion)

    def test_when_nothing_is_said(self):
        self.history(self.cows[1], self.cows[2])
        self.milk('may', -8, self.cows[1])
        session = self.milk('who', 0)
        self.assertFalse(session.suggestion, 'Ivy has no history, and Fay gives more')
        self.history(self.cows[0])
        self.milk('fay', -4, self.cows[2])
        self.env.invalidate_all()
        self.assertTrue(session.suggestion)
        other = self.milk('another', 3, yield_kg=12)
        self.env.invalidate_all()
        self.assertFalse(session.suggestion or other.suggestion, 'one cow, two milkings')

    def test_a_dry_cow_is_not_milked(self):
        self.history()
        self.milk('may', -8, self.cows[1])
        self.milk('fay', -4, self.cows[2])
        self.cows[0].state = 'dry'
        self.assertFalse(self.milk('who', 0).suggestion)

    def test_in_a_list_each_milking_has_a_pen_of_its_own(self):
        self.history()
        sue = self.env['farm.animal'].create({
            'name': 'Sue', 'farm_id': self.farm.id, 'pen_id': self.other_pen.id, 'rfid_tag': '050000000007790'})
        for key, minutes, cow, kg in (('may', -8, self.cows[1], 25), ('fay', -4, self.cows[2], 18), ('sue', 58, sue, 30)):
            self.milk(key, minutes, rfid_tag=cow.rfid_tag, yield_kg=kg)
        sessions = self.milk('who', 0) | self.milk('later', 60, yield_kg=40)
        self.env.invalidate_all()
        self.assertEqual(sessions.mapped('suggested_animal_id'), self.cows[0], 'nothing is known of the one that is left in the other pen')

    def test_a_whole_list_costs_few_queries(self):
        self.history()
        self.milk('may', -8, self.cows[1])
        self.upsert(*[milking(f'n{n}', rfid_tag=None, yield_kg=12.6, end_datetime=None, start_datetime=str(
            self.now + timedelta(seconds=n))) for n in range(80)])
        sessions = self.env['iot.milk.session'].search([('identification', '=', 'unidentified'), ('farm_id', '=', self.farm.id)])
        before = self.cr.sql_log_count
        sessions.mapped('suggestion')
        self.assertLess(self.cr.sql_log_count - before, 20)
