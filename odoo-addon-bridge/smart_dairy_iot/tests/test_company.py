# The connector's user follows the farms into their companies; what it may not see is an error of that record alone.
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.iot_bridge_setup import CONNECTOR_LOGIN
from .common import BridgeCase, milking


@tagged('-at_install', 'post_install')
class TestCompany(BridgeCase):

    def setUp(self):
        super().setUp()
        self.south = self.env['res.company'].create({'name': 'South'})
        self.env['iot.bridge.setup']._issue_connector_key()
        self.user = self.env['res.users'].search([('login', '=', CONNECTOR_LOGIN)])
        self.user.company_ids -= self.south
        self.Session = self.env['iot.milk.session'].with_user(self.user)

    def test_a_farm_that_moves_takes_the_connector_along(self):
        self.assertEqual(self.status(milking()), ['created'])
        manager = new_test_user(
            self.env, 'mover', 'smart_dairy_farm.group_farm_manager', company_ids=[(6, 0, (self.env.company | self.south).ids)])
        self.farm.with_user(manager).company_id = self.south
        self.assertIn(self.south, self.user.company_ids)
        self.assertEqual(self.status(milking(revision=2, yield_kg=13)), ['updated'])
        self.assertEqual((self.session().yield_kg, self.session().company_id), (13, self.south))
        self.assertEqual(len(self.env['farm.farm'].search([('code', '=', 'barn')])), 1, 'no second farm is discovered')

    def test_a_farm_that_is_made_in_a_new_company(self):
        self.env['farm.farm'].create({'name': 'S', 'code': 'south_barn', 'company_id': self.south.id})
        self.assertIn(self.south, self.user.company_ids)
        self.assertEqual(self.status(milking(farm='south_barn')), ['created'])
        self.assertEqual(self.session().company_id, self.south)

    @mute_logger('odoo.sql_db')
    def test_a_hidden_record_is_an_error_of_that_record(self):
        # Somebody has taken the farm out of the connector's sight by a rule of his own.
        hidden = self.env['farm.farm'].create({'name': 'Hidden', 'code': 'hidden'})
        self.env['ir.rule'].create({
            'name': 'hidden', 'model_id': self.env['ir.model']._get_id('farm.farm'), 'domain_force': [('id', '!=', hidden.id)]})
        device = self.env['iot.device'].create({'name': 'm2', 'device_uid': 'm2', 'farm_id': self.farm.id})
        self.env['ir.rule'].create({
            'name': 'hidden', 'model_id': self.env['ir.model']._get_id('iot.device'), 'domain_force': [('id', '!=', device.id)]})
        answers = self.upsert(milking('a'), milking('b', farm='hidden'), milking('c', device_uid='m2'), milking('d'))
        self.assertEqual([answer['status'] for answer in answers], ['created', 'error', 'error', 'created'])
        for answer in answers[1:3]:
            self.assertEqual(answer['error_type'], 'validation')
            self.assertIn('may not see it', answer['error'])
        record = {'source': 'smart_dairy', 'revision': 1, 'farm': 'barn', 'device_type': 'milk_meter'}
        answers = self.env['iot.device'].with_user(self.user).upsert_batch([
            {**record, 'source_id': 'barn/m2', 'device_uid': 'm2'}, {**record, 'source_id': 'barn/m3', 'device_uid': 'm3'}])
        self.assertEqual([answer['status'] for answer in answers], ['error', 'created'])
        self.assertIn('may not see it', answers[0]['error'])
