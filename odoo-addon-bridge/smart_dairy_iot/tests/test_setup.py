# What the server's shell does: the integration user and its key, the demo herd; and what an uninstall takes along.
import json
import os
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..hooks import uninstall_hook
from ..models.iot_bridge_setup import CONNECTOR_LOGIN, CONNECTOR_PARAMETERS
from .common import BridgeCase, milking


@tagged('-at_install', 'post_install')
class TestConnectorUser(TransactionCase):

    def bootstrap(self, **environment):
        known = {**dict.fromkeys(('ODOO_ADMIN_PASSWORD', 'SMART_DAIRY_DEMO', *CONNECTOR_PARAMETERS), ''), **environment}
        with (patch.dict(os.environ, known), patch.object(self.env.cr, 'commit', lambda: None),
              redirect_stdout(StringIO()) as printed):
            self.env['iot.bridge.setup']._bootstrap()
        return json.loads(printed.getvalue())

    def user_of(self, key):
        return self.env['res.users.apikeys']._check_credentials(scope='rpc', key=key)

    def connector_user(self):
        return self.env['res.users'].with_context(active_test=False).search([('login', '=', CONNECTOR_LOGIN)])

    def test_the_shell_prints_a_key_that_takes_the_place_of_the_one_before(self):
        first = self.bootstrap()
        user = self.connector_user()
        self.assertEqual((first['login'], self.user_of(first['api_key'])), (CONNECTOR_LOGIN, user.id))
        second = self.bootstrap()
        self.assertEqual(self.connector_user(), user)
        self.assertEqual((self.user_of(first['api_key']), self.user_of(second['api_key'])), (None, user.id))

    def test_addresses_and_secrets_come_from_the_environment_and_what_is_empty_changes_nothing(self):
        given = {name: f'value of {name}' for name in CONNECTOR_PARAMETERS}
        self.bootstrap(**given)
        self.bootstrap()
        parameters = self.env['ir.config_parameter']
        for name, parameter in CONNECTOR_PARAMETERS.items():
            self.assertEqual(parameters.get_param(parameter), given[name])

    def test_the_demo_herd_is_loaded_when_it_is_asked_for(self):
        with patch.object(type(self.env['iot.bridge.setup']), '_load_demo_herd') as load:
            self.bootstrap()
            load.assert_not_called()
            self.bootstrap(SMART_DAIRY_DEMO='1')
            load.assert_called_once()

    def test_an_uninstall_takes_the_link_its_secret_and_its_key_along(self):
        key = self.bootstrap(CONNECTOR_URL='http://127.0.0.1:1', CONNECTOR_ODOO_SECRET='x')['api_key']
        self.env['ir.config_parameter'].set_param('smart_dairyness', 'of somebody else')
        uninstall_hook(self.env)
        self.assertFalse(self.env['ir.config_parameter'].search([('key', '=like', 'smart\\_dairy.%')]))
        self.assertEqual(self.env['ir.config_parameter'].get_param('smart_dairyness'), 'of somebody else')
        self.assertFalse(self.user_of(key))
        self.assertFalse(self.connector_user().active)


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
