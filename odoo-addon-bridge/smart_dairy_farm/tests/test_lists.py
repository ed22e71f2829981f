# To dry off, fresh: who is in the list, on the day that counts and on the days beside it, by the day of the farm.
from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import TransactionCase, tagged

# 01:30 of 3 March in Dhaka, and still the 2nd in UTC and in New York.
NOW = '2026-03-02 19:30:00'
TODAY = date(2026, 3, 3)


@tagged('-at_install', 'post_install')
class TestLists(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'List Farm', 'code': 'list_farm', 'tz': 'Asia/Dhaka'})

    def cow(self, **values):
        return self.env['farm.animal'].create({'name': 'Cow', 'farm_id': self.farm.id, **values})

    def listed(self, name):
        return self.env['farm.animal'].search([('farm_id', '=', self.farm.id), (name, '=', True)])

    @freeze_time(NOW)
    def test_to_dry_off_from_sixty_days_before_the_expected_calving(self):
        cows = [self.cow(expected_calving_date=TODAY + timedelta(days=days)) for days in (61, 60, 59, 0, -3)]
        self.assertEqual([cow.is_due_to_dry for cow in cows], [False, True, True, True, True])
        self.assertEqual(cows[0].dry_off_date, TODAY + timedelta(days=1))
        self.assertEqual(set(self.listed('is_due_to_dry')), set(cows[1:]))
        dry = self.cow(expected_calving_date=TODAY, state='dry')
        unknown = self.cow()
        for cow in (dry, unknown):
            self.assertFalse(cow.is_due_to_dry or cow.dry_off_date)
            self.assertNotIn(cow, self.listed('is_due_to_dry'))

    @freeze_time(NOW)
    def test_the_farm_says_how_long_its_dry_period_is(self):
        self.farm.dry_days = 45
        cows = [self.cow(expected_calving_date=TODAY + timedelta(days=days)) for days in (46, 45)]
        self.assertEqual(self.listed('is_due_to_dry'), cows[1])

    @freeze_time(NOW)
    def test_fresh_up_to_thirty_days_in_milk(self):
        cows = [self.cow(last_calving_date=TODAY - timedelta(days=days)) for days in (0, 30, 31)]
        self.assertEqual([cow.is_fresh for cow in cows], [True, True, False])
        self.assertEqual(set(self.listed('is_fresh')), set(cows[:2]))
        self.assertNotIn(self.cow(last_calving_date=TODAY, state='dry'), self.listed('is_fresh'))

    @freeze_time(NOW)
    def test_the_day_is_the_farms(self):
        self.assertEqual(self.farm._today(), TODAY)
        cow = self.cow(expected_calving_date=TODAY + timedelta(days=60))
        self.assertEqual(self.listed('is_due_to_dry'), cow)
        self.farm.tz = 'America/New_York'
        self.assertEqual(self.farm._today(), TODAY - timedelta(days=1))
        self.assertFalse(self.listed('is_due_to_dry'), 'there it is the day before')
        self.assertFalse(cow.is_due_to_dry)

    def test_a_calving_ends_the_expectation(self):
        cow = self.cow(state='dry', expected_calving_date=TODAY)
        cow.action_calved()
        self.assertFalse(cow.expected_calving_date)
