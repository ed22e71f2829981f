# The demo herd, loaded into a database that already works.
from odoo.tests import TransactionCase, tagged

from .common import BridgeCase, milking


@tagged('-at_install', 'post_install')
class TestDemoHerd(BridgeCase):

    def setUp(self):
        super().setUp()
        # A database with demo data has them: begin without.
        names = self.env['ir.model.data'].search([('module', '=', 'smart_dairy_farm'), ('model', '=like', 'farm.%'),
                                                  ('model', '!=', 'farm.breed')])
        self.env['iot.device.assignment'].search([('farm_id.code', 'in', ('farm1', 'farm2'))]).unlink()
        self.env['farm.animal'].search([('farm_id.code', 'in', ('farm1', 'farm2'))]).unlink()
        self.env['farm.farm'].search([('code', 'in', ('farm1', 'farm2'))]).write({'active': False})
        for farm in self.env['farm.farm'].with_context(active_test=False).search([('code', 'in', ('farm1', 'farm2'))]):
            farm.code = f'before_{farm.id}'
        names.unlink()

    def load(self):
        self.env['iot.bridge.setup']._load_demo_herd()
        return self.env.ref('smart_dairy_farm.farm_green_meadow')

    def test_it_loads_once_and_leaves_what_people_changed(self):
        farm = self.load()
        bella = self.env.ref('smart_dairy_farm.animal_gm_01')
        bella.write({'name': 'Bella the Great', 'state': 'dry'})
        self.assertEqual(self.load(), farm)
        self.assertEqual((bella.name, bella.state, len(farm.animal_ids)), ('Bella the Great', 'dry', 24))

    def test_a_farm_that_its_devices_reported_first_becomes_the_demo_farm(self):
        self.upsert(milking(farm='farm1', rfid_tag='050000000000001'))
        discovered = self.session().farm_id
        self.assertEqual(discovered.state, 'discovered')
        self.assertEqual(self.load(), discovered)
        self.assertEqual((discovered.state, len(discovered.animal_ids)), ('active', 24))
        self.session().action_match_again()
        self.assertEqual(self.session().animal_id.name, 'Bella')


@tagged('-at_install', 'post_install')
class TestDemoDevices(TransactionCase):

    def test_every_kind_and_state_is_shown(self):
        if not self.env.ref('smart_dairy_iot.device_meter', raise_if_not_found=False):
            self.skipTest('a database without demo data')
        devices = self.env['iot.device'].with_context(active_test=False).search([('device_uid', '=like', 'demo_%')])
        for name in ('device_type', 'state'):
            self.assertEqual(set(dict(self.env['iot.device']._fields[name].selection)) - set(devices.mapped(name)), set())
        self.assertLessEqual({'valid', 'due', 'overdue'}, set(devices.mapped('calibration_state')))
        self.assertLessEqual({'done', 'rejected', 'timed_out'}, set(devices.command_ids.mapped('state')))
        self.assertTrue(devices.animal_id and self.env['farm.feeding.order'].search([('device_id', 'in', devices.ids)]))
