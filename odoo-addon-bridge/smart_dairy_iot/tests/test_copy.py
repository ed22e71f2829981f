# A copy of a database has the connector's address and secret, and nobody has connected it.
from odoo.exceptions import UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import new_test_user, tagged

from .common import BridgeCase, milking
from .fake_connector import SECRET, fake_connector
from .test_connector import commit, in_this_transaction


@tagged('-at_install', 'post_install')
class TestCopy(BridgeCase):

    def setUp(self):
        super().setUp()
        in_this_transaction(self)
        self.fake = self.enterContext(fake_connector(self.env))
        self.fake.answers.update({
            'command': (202, {'state': 'sent'}), 'notify': {}, 'command/known': {'commands': []},
            'outbox/summary': {'kinds': []}, 'latest': {'values': []}})
        self.parameters = self.env['ir.config_parameter']
        self.manager = new_test_user(self.env, 'boss', 'smart_dairy_farm.group_farm_manager')
        self.device = self.env['iot.device'].create({
            'name': 'Dispenser', 'device_uid': 'feeder_1', 'device_type': 'feeder', 'farm_id': self.farm.id, 'state': 'active'})
        commit(self)
        self.fake.calls.clear()
        self.fake.databases.clear()

    def become_a_copy(self):
        # What Odoo does with the copies that it makes.
        self.parameters.init(force=True)

    def neutralize(self):
        self.env.flush_all()
        for query in get_neutralization_queries(['smart_dairy_iot']):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()

    def send(self):
        command = self.env['iot.device.command'].with_user(self.manager).create({
            'device_id': self.device.id, 'command': 'open'})
        command.action_send()
        commit(self)
        return command

    def order(self):
        return self.env['farm.feeding.order'].with_user(self.manager).create({
            'farm_id': self.farm.id, 'animal_id': self.cow.id, 'feed': 'Hay', 'amount_kg': 1, 'device_id': self.device.id})

    def test_the_original_says_who_it_is(self):
        self.assertEqual(self.send().state, 'sent')
        self.assertEqual(self.fake.databases, {self.parameters.get_param('database.uuid')})

    def test_a_copy_calls_nobody(self):
        self.become_a_copy()
        command, order = self.send(), self.order()
        self.assertEqual(command.state, 'rejected')
        self.assertIn('is a copy', command.detail)
        order.action_confirm()
        order.action_send_due()
        commit(self)
        self.assertEqual((order.state, order.result), ('failed', command.detail))
        self.cow.name = 'No hint'
        commit(self)
        with self.assertRaisesRegex(UserError, 'is a copy'):
            self.env['iot.connector'].call('outbox/summary')
        self.assertTrue(self.env['iot.connector']._latest('barn/feeder_1')[1])
        self.assertEqual(self.fake.calls, [])

    def test_a_copy_is_connected_anew_by_entering_the_secret(self):
        self.become_a_copy()
        admin = self.env.ref('base.user_admin')
        form = self.env['iot.onboarding'].with_user(admin).create({})
        self.assertEqual((form.is_copy, form.is_connected), (True, False))
        answer = form.action_connect()
        self.assertEqual((answer['params']['type'], self.fake.calls), ('danger', []), 'address and secret as they came')
        form.connector_secret = SECRET
        self.assertEqual(form.action_connect()['params']['type'], 'success')
        commit(self)
        form.invalidate_recordset()
        self.assertEqual((form.is_copy, form.is_connected), (False, True))
        self.assertEqual(self.send().state, 'sent')
        self.assertEqual(self.fake.databases, {self.parameters.get_param('database.uuid')})

    def test_getting_started_in_a_neutralized_copy(self):
        self.assertEqual(self.send().state, 'sent')
        form = self.env['iot.onboarding'].create({})
        self.assertEqual((form.is_copy, form.is_connected), (False, True))
        self.neutralize()
        form.invalidate_recordset()
        self.assertEqual((form.is_copy, form.is_connected), (False, False))

    def test_a_restored_or_moved_database_goes_on(self):
        # It has its UUID; the name of the database and its server say nothing.
        self.parameters.init()
        self.assertEqual(self.send().state, 'sent')

    def test_a_neutralized_copy_has_no_link_and_forgets_what_was_on_its_way(self):
        before = self.parameters.get_param('database.uuid')
        self.env['iot.bridge.setup']._issue_connector_key()
        self.fake.answers['command'] = (503, {'detail': 'no broker'})
        command, order = self.send(), self.order()
        order.action_confirm()
        self.fake.calls.clear()
        self.neutralize()
        self.assertNotEqual(self.parameters.get_param('database.uuid'), before)
        self.assertFalse(self.parameters.search([('key', '=like', 'smart_dairy.%')]))
        self.assertFalse(self.env['iot.connector']._key_expires(), 'the key of the original')
        self.assertEqual((command.state, order.state), ('failed', 'cancelled'))
        self.env['farm.feeding.order']._cron_send_due()
        self.env['iot.device.command']._cron_send()
        commit(self)
        self.assertIn('No connector is set up', self.send().detail)
        self.assertEqual(self.fake.calls, [])

    def test_the_connector_of_another_database_gets_and_brings_nothing(self):
        meant = {'smart_dairy_database': 'the original'}
        for model, method, args in (
            ('iot.milk.session', 'upsert_batch', [[milking()]]), ('iot.connector', 'pull', ['animal']),
            ('iot.connector', 'rotate_key', []),
        ):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, 'smart_dairy_database: .* copy'):
                getattr(self.env[model].with_user(self.connector).with_context(**meant), method)(*args)
        self.assertFalse(self.session())
        own = self.env['iot.connector'].with_user(self.connector).key_info()['database']
        self.assertEqual(own, self.parameters.get_param('database.uuid'))
        answer = self.Session.with_context(smart_dairy_database=own).upsert_batch([milking()])
        self.assertEqual(answer[0]['status'], 'created')
