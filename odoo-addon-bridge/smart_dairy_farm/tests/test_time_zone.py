# Time zones are asked: a farm's is proposed and taken by a person, one's own comes from the browser and is told.
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged


@tagged('-at_install', 'post_install')
class TestTimeZone(TransactionCase):

    def test_a_farm_has_none_until_somebody_says_it(self):
        manager = new_test_user(self.env, 'tz_boss', 'smart_dairy_farm.group_farm_manager', tz='Asia/Dhaka')
        farm = self.env['farm.farm'].with_user(manager).create({'name': 'Zone Farm', 'code': 'zone_farm'})
        self.env.company.partner_id.tz = False
        self.assertEqual((farm.tz, farm.tz_proposal), (False, 'Asia/Dhaka'))
        self.env.company.partner_id.tz = 'Asia/Kolkata'
        farm.invalidate_recordset(['tz_proposal'])
        self.assertEqual(farm.tz_proposal, 'Asia/Kolkata', "the company's place says more than the person's")
        farm.action_take_tz()
        self.assertEqual(farm.tz, 'Asia/Kolkata')
        self.env.company.partner_id.tz = 'Asia/Dhaka'
        farm.action_take_tz()
        self.assertEqual(farm.tz, 'Asia/Kolkata', 'what a person has said stays')
        staff = new_test_user(self.env, 'tz_staff', 'smart_dairy_farm.group_farm_user')
        with self.assertRaises(AccessError):
            farm.with_user(staff).tz = 'UTC'

    def test_a_person_without_one_gets_that_of_the_browser(self):
        staff = new_test_user(self.env, 'tz_staff', 'smart_dairy_farm.group_farm_user', tz=False)
        Users = self.env['res.users'].with_user(staff)
        self.assertEqual(Users.take_time_zone('Mars/Olympus'), 'unknown')
        self.assertFalse(staff.tz)
        self.assertEqual(Users.take_time_zone('Asia/Dhaka'), 'taken')
        self.assertEqual(staff.tz, 'Asia/Dhaka')
        self.assertFalse(Users.take_time_zone('Europe/Paris'), 'who has one keeps it')
        self.assertEqual(staff.tz, 'Asia/Dhaka')
        stranger = new_test_user(self.env, 'tz_stranger', 'base.group_user', tz=False)
        self.assertFalse(self.env['res.users'].with_user(stranger).take_time_zone('Asia/Dhaka'))
        self.assertFalse(stranger.tz, 'people of other apps are left alone')


@tagged('-at_install', 'post_install')
class TestHome(HttpCase):

    def home_of(self, login):
        self.authenticate(login, login)
        return self.make_jsonrpc_request('/web/session/get_session_info')['home_action_id']

    def test_people_of_the_farm_begin_at_the_farm(self):
        staff = new_test_user(self.env, 'home_staff', 'smart_dairy_farm.group_farm_user', password='home_staff')
        new_test_user(self.env, 'home_stranger', 'base.group_user', password='home_stranger')
        self.assertEqual(self.home_of('home_staff'), staff._farm_home_action().id)
        self.assertFalse(self.home_of('home_stranger'))
        chosen = self.env.ref('smart_dairy_farm.farm_pen_action')
        staff.action_id = chosen.id
        self.assertEqual(self.home_of('home_staff'), chosen.id, 'who has chosen a home keeps it')
