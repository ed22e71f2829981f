# The demo: the simulator's devices are ours, and its cows have been milked for a month.
from collections import Counter
from unittest import SkipTest

from odoo.tests import TransactionCase, tagged


@tagged('-at_install', 'post_install')
class TestDemo(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.env.ref('smart_dairy_farm.animal_gm_24', raise_if_not_found=False):
            raise SkipTest('a database without demo data')
        cls.farm = cls.env.ref('smart_dairy_farm.farm_green_meadow')
        cls.Setup = cls.env['iot.bridge.setup']

    def devices(self):
        return self.env['iot.device'].search([('farm_id', '=', self.farm.id), ('device_uid', 'not like', 'demo')])

    def test_devices_are_named_placed_and_on_their_animals(self):
        discovered = self.env['iot.device'].create({
            'name': 'tank-01', 'device_uid': 'tank-01', 'farm_id': self.farm.id, 'state': 'discovered'})
        mine = self.env['iot.device'].create({
            'name': 'My meter', 'device_uid': 'stall-01', 'device_type': 'milk_meter', 'farm_id': self.farm.id, 'state': 'registered'})
        self.Setup._load_demo_devices()
        devices = self.devices()
        self.assertEqual(len(devices), 19 + 24)
        self.assertEqual((discovered.name, discovered.state), ('Bulk Tank 1', 'active'))
        self.assertEqual((mine.name, mine.state), ('My meter', 'registered'), 'what a person has done stays')
        for device in devices - mine:
            self.assertEqual(device.state, 'active')
            self.assertNotEqual(device.name, device.device_uid)
            self.assertTrue(device.location_id or device.pen_id, device.name)
        collars = devices.filtered(lambda device: device.device_type == 'collar')
        self.assertEqual(set(collars.animal_id), set(self.farm.animal_ids))
        self.Setup._load_demo_devices()
        self.assertEqual((len(self.devices()), len(collars.assignment_ids)), (43, 24), 'a second time adds nothing')

    def test_a_month_of_milkings(self):
        self.Setup._load_demo_devices()
        self.Setup._load_demo_milkings(30)
        sessions = self.env['iot.milk.session'].search([('source', '=', 'demo')])
        cows = self.farm.animal_ids.filtered(lambda cow: cow.state == 'lactating')
        self.assertEqual(sessions.animal_id, cows)
        # Twice a day; who has calved within the month begins after her colostrum.
        counts = Counter(session.animal_id.id for session in sessions)
        old = cows.filtered(lambda cow: cow.days_in_milk >= 35)
        self.assertEqual({counts[cow.id] for cow in old}, {60})
        self.assertTrue(all(counts[cow.id] < 60 for cow in cows - old))
        today = self.farm._day_start()
        self.assertTrue(all(start < today for start in sessions.mapped('start_datetime')))
        self.assertTrue(all(3 < kg < 20 for kg in sessions.mapped('yield_kg')))
        self.assertEqual(set(sessions.mapped('milking_of_day')), {'morning', 'evening'})
        self.assertEqual(set(sessions.mapped('identification')), {'identified'})
        self.assertTrue(all(sessions.mapped('device_id')))
        # By Wood's curve the late cows give less at the end of the month than at its begin.
        late = old.filtered(lambda cow: cow.days_in_milk > 200)
        mine = sessions.filtered(lambda session: session.animal_id in late).sorted('start_datetime')
        third = len(mine) // 3
        # Six per cent in these twenty days; what chance does to so many milkings is less than one.
        self.assertGreater(sum(mine[:third].mapped('yield_kg')), 1.03 * sum(mine[-third:].mapped('yield_kg')))
        self.Setup._load_demo_milkings(30)
        self.assertEqual(self.env['iot.milk.session'].search_count([('source', '=', 'demo')]), len(sessions))
