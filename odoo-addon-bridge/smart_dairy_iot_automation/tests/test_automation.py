# The rules sleep until there is an address, and then send what Odoo's webhook action sends.
import json
from unittest.mock import patch

from odoo.addons.smart_dairy_iot.tests.common import BridgeCase
from odoo.addons.smart_dairy_iot.tests.fake_connector import fake_connector
from odoo.addons.smart_dairy_iot.tests.test_connector import commit, in_this_transaction
from odoo.addons.smart_dairy_iot.tests.test_translations import check_translations
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import TransactionCase, new_test_user, tagged

HOOK = 'http://127.0.0.1:9/api/v1/odoo/hook/secret'


@tagged('-at_install', 'post_install')
class TestAutomation(TransactionCase):

    def sent(self):
        self.env.flush_all()
        with patch('requests.post') as post:
            self.env.cr.postcommit.run()
        return [(call.args[0], json.loads(call.kwargs['data'])) for call in post.call_args_list]

    def test_rules(self):
        farm = self.env['farm.farm'].create({'name': 'Hook Farm', 'code': 'hook_farm'})
        animal = self.env['farm.animal'].create({'name': 'Hook', 'farm_id': farm.id})
        device = self.env['iot.device'].create({
            'name': 'd', 'device_uid': 'd', 'device_type': 'collar', 'farm_id': farm.id})
        alert = self.env['iot.alert'].create({'farm_id': farm.id, 'alert_type': 'x', 'message': 'x', 'source_id': 'k'})
        self.env['ir.config_parameter'].search([('key', '=', 'smart_dairy.connector_hook')]).unlink()
        animal.ear_tag = 'H-1'
        self.assertEqual(self.sent(), [])
        self.env['ir.config_parameter'].set_param('smart_dairy.connector_hook', HOOK)
        animal.ear_tag = 'H-2'
        animal.note = 'no news'
        device.action_register()
        self.env['iot.threshold'].create({'farm_id': farm.id, 'metric': 'milk_temperature', 'high': 4})
        alert.action_acknowledge()
        sent = self.sent()
        self.assertEqual({url for url, _body in sent}, {HOOK})
        self.assertEqual([body['_model'] for _url, body in sent],
                         ['farm.animal', 'iot.device', 'iot.threshold', 'iot.alert'])
        self.assertEqual((sent[0][1]['ear_tag'], sent[1][1]['state']), ('H-2', 'registered'))
        self.assertEqual((sent[3][1]['source_id'], sent[3][1]['state']), ('k', 'acknowledged'))
        # What the connector brings itself neither fails for its few rights nor comes back to it.
        connector = new_test_user(self.env, 'hook_connector', 'smart_dairy_iot.group_connector')
        [answer] = self.env['iot.device'].with_user(connector).upsert_batch([{
            'source': 's', 'source_id': 'hook_farm/n', 'revision': 1, 'farm': 'hook_farm', 'device_uid': 'n'}])
        [other] = self.env['iot.alert'].with_user(connector).upsert_batch([{
            'source': 's', 'source_id': 'hook_farm/a', 'revision': 1, 'farm': 'hook_farm', 'alert_type': 'y',
            'severity': 'low', 'message': 'x', 'raised_at': '2026-05-01 00:00:00'}])
        self.assertEqual((answer['status'], other['status'], self.sent()), ('created', 'created', []))
        self.env['ir.config_parameter'].set_param('smart_dairy.connector_hook', False)
        animal.ear_tag = 'H-3'
        self.assertEqual(self.sent(), [])

    def test_a_copy_of_the_database_wakes_nobody(self):
        farm = self.env['farm.farm'].create({'name': 'Hook Farm', 'code': 'hook_farm'})
        animal = self.env['farm.animal'].create({'name': 'Hook', 'farm_id': farm.id})
        parameters = self.env['ir.config_parameter']
        parameters.search([('key', '=', 'smart_dairy.connector_hook')]).unlink()
        parameters.set_param('smart_dairy.connector_hook', HOOK)
        animal.ear_tag = 'H-1'
        self.assertEqual(len(self.sent()), 1)
        parameters.init(force=True)
        animal.ear_tag = 'H-2'
        self.assertEqual(self.sent(), [])
        self.env.flush_all()
        for query in get_neutralization_queries(['smart_dairy_iot', 'smart_dairy_iot_automation']):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        rules = self.env['base.automation'].with_context(active_test=False).search([('name', '=like', 'Connector:%')])
        self.assertEqual(rules.filtered('active').mapped('name'), ['Connector: feeding order confirmed'])

    def test_every_term_has_its_bangla_translation(self):
        check_translations(self, 'smart_dairy_iot_automation', 5)


@tagged('-at_install', 'post_install')
class TestFeedingRule(BridgeCase):

    def test_a_confirmed_order_is_sent_at_once(self):
        in_this_transaction(self)
        fake = self.enterContext(fake_connector(self.env))
        fake.answers['command'] = (202, {'accepted': True, 'state': 'sent'})
        manager = new_test_user(self.env, 'feeding_boss', 'smart_dairy_farm.group_farm_manager')
        feeder = self.env['iot.device'].create({
            'name': 'Dispenser', 'device_uid': 'feeder_1', 'device_type': 'feeder', 'farm_id': self.farm.id, 'state': 'active'})
        order = self.env['farm.feeding.order'].with_user(manager).create({
            'farm_id': self.farm.id, 'animal_id': self.cow.id, 'feed': 'Hay', 'amount_kg': 1, 'device_id': feeder.id})
        order.action_confirm()
        self.assertEqual(order.state, 'confirmed')
        commit(self)
        self.assertEqual(order.state, 'sent')
        [(path, payload)] = [call for call in fake.calls if call[0] == 'command']
        self.assertEqual((path, payload['device_uid'], payload['params']['value']), ('command', 'feeder_1', 1))
        later = order.copy({'scheduled_at': '2099-01-01 00:00:00'})
        later.action_confirm()
        commit(self)
        self.assertEqual((later.state, [path for path, _payload in fake.calls].count('command')), ('confirmed', 1))
