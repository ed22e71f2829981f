# Who has not been milked today, by the day of the farm; where people begin; which zone the connector learns.
from datetime import datetime

from freezegun import freeze_time

from odoo.tests import new_test_user, tagged

from .common import BridgeCase, milking

# Midnight in Dhaka is 18:00 in UTC.
NOW, MIDNIGHT = '2026-05-01 20:00:00', '2026-05-01 18:00:00'


@tagged('-at_install', 'post_install')
class TestNotMilked(BridgeCase):

    def missing(self):
        return self.env['farm.animal'].search([('farm_id', '=', self.farm.id), ('is_not_milked_today', '=', True)])

    @freeze_time(NOW)
    def test_since_midnight_of_the_farm(self):
        self.farm.tz = 'Asia/Dhaka'
        self.assertEqual(self.farm._day_start(), datetime.fromisoformat(MIDNIGHT))
        self.upsert(milking(start_datetime='2026-05-01 17:59:59', end_datetime='2026-05-01 18:05:00'))
        self.assertEqual(self.missing(), self.cow | self.other_cow, 'she began yesterday')
        self.assertTrue(self.cow.is_not_milked_today)
        self.upsert(milking('barn/m1/2', start_datetime=MIDNIGHT, end_datetime='2026-05-01 18:05:00'))
        self.env.invalidate_all()
        self.assertEqual(self.missing(), self.other_cow)
        self.assertFalse(self.cow.is_not_milked_today)
        self.farm.tz = 'UTC'
        self.assertEqual(self.missing(), self.other_cow, 'there the day began eighteen hours earlier')

    @freeze_time(NOW)
    def test_who_is_dry_is_not_missing_and_what_is_none_is_no_milking(self):
        self.farm.tz = 'Asia/Dhaka'
        self.upsert(milking(start_datetime=MIDNIGHT, end_datetime='2026-05-01 18:05:00', is_void=True))
        self.other_cow.state = 'dry'
        self.assertEqual(self.missing(), self.cow)


@tagged('-at_install', 'post_install')
class TestZoneAndHome(BridgeCase):

    def test_the_connector_learns_the_zone_of_the_farm(self):
        self.assertFalse(self.farm._pull_values()['tz'])
        self.farm.tz = 'Asia/Dhaka'
        self.assertEqual(self.farm._pull_values()['tz'], 'Asia/Dhaka')
        self.assertIn('tz', self.farm._pull_fields)

    def test_each_role_begins_at_its_work(self):
        for group, action in (
            ('smart_dairy_farm.group_farm_user', 'iot_milk_session_action_parlour'),
            ('smart_dairy_farm.group_veterinarian', 'iot_alert_action'),
            ('smart_dairy_farm.group_farm_manager', 'iot_milk_session_action'),
            ('smart_dairy_iot.group_iot_admin', 'iot_device_action'),
        ):
            with self.subTest(group=group):
                user = new_test_user(self.env, f"home_{group.split('.')[1]}", group)
                self.assertEqual(user._farm_home_action(), self.env.ref(f'smart_dairy_iot.{action}'))
        self.assertFalse(new_test_user(self.env, 'home_nobody', 'base.group_user')._farm_home_action())
