# Commands to devices: sent from the form, once, with rights; their results; feeding orders that become commands.
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import BridgeCase
from .fake_connector import fake_connector, point_to
from .test_connector import commit, in_this_transaction


@tagged('-at_install', 'post_install')
class TestCommand(BridgeCase):

    def setUp(self):
        super().setUp()
        in_this_transaction(self)
        self.fake = self.enterContext(fake_connector(self.env))
        self.fake.answers['command/known'] = {'commands': [
            {'name': 'open', 'takes_value': False, 'min': None, 'max': None, 'unit': None},
            {'name': 'give_feed', 'takes_value': True, 'min': 0, 'max': 5, 'unit': 'kg'}]}
        self.fake.answers['command'] = lambda payload: (202, {
            'accepted': True, 'request_id': payload['request_id'], 'state': 'sent', 'expires_at': '2026-11-21T17:00:10.000Z'})
        self.manager = new_test_user(self.env, 'boss', 'smart_dairy_farm.group_farm_manager')
        self.device = self.env['iot.device'].create({
            'name': 'Dispenser', 'device_uid': 'feeder_1', 'device_type': 'feeder', 'farm_id': self.farm.id, 'state': 'active'})

    def wizard(self, user=None):
        action = self.device.with_user(user or self.manager).action_command()
        return self.env[action['res_model']].with_user(user or self.manager).browse(action['res_id'])

    def send(self, **values):
        wizard = self.wizard()
        wizard.write(values)
        command = self.env['iot.device.command'].browse(wizard.action_send()['res_id'])
        commit(self)
        return command

    def sent(self):
        return [payload for path, payload in self.fake.calls if path == 'command']

    def result(self, command, revision=1, **values):
        return self.env['iot.device.command'].with_user(self.connector).upsert_batch([{
            'source': 'smart_dairy', 'source_id': command.source_id, 'revision': revision, 'farm': 'barn',
            'device_uid': 'feeder_1', 'command': command.command, 'value': command.value or None, 'state': 'done', 'detail': None,
            'result_value': None, 'requested_at': '2026-11-21 17:00:00', 'expires_at': '2026-11-21 17:00:10',
            'finished_at': '2026-11-21 17:00:02', **values}])[0]

    def test_what_the_profile_offers_is_sent_and_its_result_comes_back(self):
        wizard = self.wizard()
        self.assertEqual(wizard.known_ids.mapped('name'), ['open', 'give_feed'])
        wizard.write({'known_id': wizard.known_ids[1].id, 'value': '1.5', 'note': 'test'})
        self.assertEqual((wizard.takes_value, wizard.range), (True, '0 – 5 kg'))
        command = self.env['iot.device.command'].browse(wizard.action_send()['res_id'])
        self.assertEqual((command.state, self.sent()), ('queued', []), 'nothing goes out of an open transaction')
        commit(self)
        self.assertEqual((command.state, command.user_id, command.note), ('sent', self.manager, 'test'))
        [payload] = self.sent()
        self.assertEqual(payload, {
            'farm': 'barn', 'device_uid': 'feeder_1', 'command': 'give_feed', 'request_id': command.source_id,
            'params': {'timeout_ms': 10000, 'value': 1.5}})
        self.assertEqual(self.result(command, state='accepted')['status'], 'updated')
        self.assertEqual(command.state, 'accepted')
        self.assertEqual(self.result(command, 2, result_value='1.5', detail='read back')['status'], 'updated')
        self.assertEqual((command.state, command.result_value, command.user_id), ('done', '1.5', self.manager))
        self.assertIn('give_feed 1.5: Done (read back)', self.device.message_ids[0].body)
        self.assertEqual(self.device.command_count, 1)

    def test_the_same_form_twice_is_one_command(self):
        wizard = self.wizard()
        wizard.known_id = wizard.known_ids[0]
        self.assertEqual(wizard.action_send()['res_id'], wizard.action_send()['res_id'])
        commit(self)
        commit(self)
        self.assertEqual(len(self.sent()), 1)

    def test_a_transaction_that_rolls_back_sends_nothing(self):
        order = self.order()
        commit(self)
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.wizard().write({'command': 'open'})
            order.action_confirm()
            order.action_send_due()
            self.env['iot.device.command'].create({'device_id': self.device.id, 'command': 'open'}).action_send()
            raise ZeroDivisionError
        waiting = self.env['iot.device.command'].with_user(self.manager).create({'device_id': self.device.id, 'command': 'open'})
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            waiting.action_send()
            raise ZeroDivisionError
        commit(self)
        self.assertEqual((self.sent(), waiting.state), ([], 'queued'), 'nor does one of which only a part rolls back')
        # What a rollback of the whole transaction does.
        self.env.cr.postcommit.clear()
        commit(self)
        self.assertEqual((self.sent(), order.state), ([], 'draft'))

    def test_a_command_is_held_against_its_range_wherever_it_is_confirmed(self):
        Command = self.env['iot.device.command'].with_user(self.manager)
        for value in ('6', '-1', 'much', 'true'):
            with self.subTest(value=value), self.assertRaisesRegex(UserError, 'within 0 – 5 kg'):
                Command.create({'device_id': self.device.id, 'command': 'give_feed', 'value': value}).action_send()
        order = self.order(amount_kg=300)
        with self.assertRaisesRegex(UserError, 'within 0 – 5 kg'):
            order.action_confirm()
        order.amount_kg = 3.125
        order.action_confirm()
        with self.assertRaisesRegex(UserError, 'stays as it is'):
            order.amount_kg = 300
        order.action_send_due()
        commit(self)
        self.assertEqual([payload['params']['value'] for payload in self.sent()], [3.125])

    def test_a_command_is_tried_again_but_not_for_ever(self):
        url = self.env['ir.config_parameter'].get_param('smart_dairy.connector_url')
        point_to(self.env, 'http://127.0.0.1:9')
        first, second = self.send(command='open'), self.send(command='close')
        never_sent = self.env['iot.device.command'].with_user(self.manager).create({
            'device_id': self.device.id, 'command': 'never confirmed'})
        self.assertEqual((first.state, second.state), ('queued', 'queued'))
        self.assertIn('does not answer', first.detail)
        point_to(self.env, url)
        self.env['iot.device.command']._cron_send()
        self.assertEqual(self.sent(), [])
        commit(self)
        self.assertEqual([payload['command'] for payload in self.sent()], ['open', 'close'], 'in their order')
        self.assertEqual((first.state, second.state, never_sent.state), ('sent', 'sent', 'queued'))
        self.fake.answers['command'] = (503, {'detail': 'no broker'})
        late = self.send(command='late')
        late.sudo().send_before = fields.Datetime.now() - timedelta(minutes=1)
        self.fake.answers['command'] = {'state': 'sent'}
        self.env['iot.device.command']._cron_send()
        commit(self)
        self.assertEqual((late.state, late.detail), ('timed_out', 'It could not be sent in time.'))

    def test_what_the_connector_told_meanwhile_stays(self):
        def tells_first(payload):
            command = self.env['iot.device.command'].search([('source_id', '=', payload['request_id'])])
            self.result(command)
            return 202, {'state': 'sent'}
        self.fake.answers['command'] = tells_first
        self.assertEqual(self.send(command='open').state, 'done')

    def test_too_many_calls_are_no_refusal(self):
        self.fake.answers['command'] = (429, {'detail': 'slowly'})
        self.assertEqual(self.send(command='open').state, 'queued')

    def test_values_are_checked_before_anything_is_sent(self):
        wizard = self.wizard()
        with self.assertRaisesRegex(UserError, 'Choose a command'):
            wizard.action_send()
        wizard.known_id = wizard.known_ids[1]
        for value, text in ((False, 'needs a value'), ('6', 'within 0 – 5 kg'), ('-1', 'within'), ('much', 'within')):
            wizard.value = value
            with self.subTest(value=value), self.assertRaisesRegex(UserError, text):
                wizard.action_send()
        self.assertEqual(self.sent(), [])

    def test_a_device_without_listed_commands_takes_typed_ones(self):
        self.fake.answers['command/known'] = {'commands': []}
        self.send(command='flash', value='true')
        self.send(command='flash', value='red')
        self.assertEqual([payload['params'].get('value') for payload in self.sent()], [True, 'red'])

    def test_a_connector_that_is_away_or_refuses(self):
        self.fake.answers['command'] = (422, {'detail': 'the device was refused'})
        command = self.send(command='open')
        self.assertEqual(command.state, 'rejected')
        self.assertIn('the device was refused', command.detail)
        self.fake.answers['command'] = (503, {'detail': 'no broker'})
        command = self.send(command='open')
        self.assertEqual(command.state, 'queued')
        url = self.env['ir.config_parameter'].get_param('smart_dairy.connector_url')
        point_to(self.env, 'http://127.0.0.1:9')
        wizard = self.wizard()
        self.assertIn('does not answer', wizard.problem)
        point_to(self.env, url)
        self.fake.answers['command'] = {'state': 'sent'}
        command.with_user(self.manager).action_send()
        commit(self)
        self.assertEqual(command.state, 'sent')
        ids = [payload['request_id'] for payload in self.sent()]
        self.assertEqual(ids[-1], ids[-2], 'sent again it is the same command')

    def test_results_that_were_lost_are_asked_for(self):
        [first, second, third] = [self.send(command=name) for name in ('a', 'b', 'c')]
        self.fake.answers['command/status'] = lambda payload: {'commands': [
            {'request_id': first.source_id, 'state': 'failed', 'detail': 'shows 0', 'result_value': 0,
             'finished_at': '2026-11-21T17:00:03.000Z'},
            {'request_id': second.source_id, 'state': 'sent'}]}
        past = fields.Datetime.now() - timedelta(minutes=1)
        (first | second | third).sudo().expires_at = past
        self.env['iot.device.command']._cron_refresh()
        self.assertEqual([row.state for row in (first, second, third)], ['failed', 'sent', 'timed_out'])
        self.assertEqual((first.result_value, str(first.finished_at)), ('0', '2026-11-21 17:00:03'))
        point_to(self.env, 'http://127.0.0.1:9')
        self.env['iot.device.command']._cron_refresh()
        self.assertEqual(second.state, 'sent')
        with self.assertRaises(UserError):
            second.with_user(self.staff).action_refresh()

    def test_rights(self):
        command = self.send(command='open')
        with self.assertRaises(AccessError):
            self.env['iot.device.command'].with_user(self.staff).create({'device_id': self.device.id, 'command': 'open'})
        with self.assertRaises(AccessError):
            self.wizard(self.staff)
        with self.assertRaises(AccessError):
            command.with_user(self.manager).write({'state': 'done'})
        with self.assertRaises(AccessError):
            command.with_user(self.staff).action_send()
        forged = self.env['iot.device.command'].with_user(self.manager).create({
            'device_id': self.device.id, 'command': 'open', 'state': 'done', 'user_id': self.staff.id, 'result_value': '1'})
        self.assertEqual((forged.state, forged.user_id, forged.result_value), ('queued', self.manager, False))
        self.device.state = 'retired'
        with self.assertRaisesRegex(UserError, 'takes no commands'):
            self.device.with_user(self.manager).action_command()
        with self.assertRaisesRegex(UserError, 'takes no commands'):
            self.env['iot.device.command'].with_user(self.manager).create({'device_id': self.device.id, 'command': 'open'})

    # -- feeding orders ----------------------------------------------------------------------------

    def order(self, **values):
        return self.env['farm.feeding.order'].with_user(self.manager).create({
            'farm_id': self.farm.id, 'animal_id': self.cow.id, 'feed': 'Concentrate', 'amount_kg': 2.5,
            'device_id': self.device.id, **values})

    def test_a_feeding_order_is_sent_when_it_is_due_and_gets_its_result(self):
        later = fields.Datetime.now() + timedelta(hours=2)
        now, waiting = self.order(), self.order(scheduled_at=later, animal_id=False, pen_id=self.env['farm.pen'].create({
            'name': 'Shed', 'farm_id': self.farm.id}).id)
        (now | waiting).action_confirm()
        self.env['farm.feeding.order']._cron_send_due()
        self.assertEqual((now.state, self.sent()), ('confirmed', []))
        commit(self)
        self.assertEqual((now.state, waiting.state), ('sent', 'confirmed'))
        self.env['farm.feeding.order']._cron_send_due()
        commit(self)
        [payload] = self.sent()
        self.assertEqual((payload['command'], payload['params']['value']), ('give_feed', 2.5))
        self.assertEqual(self.result(now.command_id)['status'], 'updated')
        self.assertEqual((now.state, str(now.fed_at)), ('done', '2026-11-21 17:00:02'))
        with self.assertRaisesRegex(UserError, 'stays'):
            now.unlink()
        waiting.action_cancel()
        waiting.unlink()

    def test_a_feeding_order_that_fails_is_a_new_command_the_next_time(self):
        order = self.order()
        order.action_confirm()
        order.action_send_due()
        commit(self)
        first = order.command_id
        self.result(first, state='failed', detail='hopper empty')
        self.assertEqual((order.state, order.result), ('failed', 'hopper empty'))
        order.action_draft()
        order.action_confirm()
        order.action_send_due()
        commit(self)
        self.assertEqual(order.state, 'sent')
        self.assertNotEqual(order.command_id, first)

    def test_a_feeding_order_waits_for_the_connector_but_not_for_ever(self):
        url = self.env['ir.config_parameter'].get_param('smart_dairy.connector_url')
        point_to(self.env, 'http://127.0.0.1:9')
        order = self.order()
        order.action_confirm()
        order.action_send_due()
        commit(self)
        self.assertEqual(order.state, 'confirmed')
        self.assertIn('does not answer', order.result)
        point_to(self.env, url)
        self.env['farm.feeding.order']._cron_send_due()
        self.env['iot.device.command']._cron_send()
        commit(self)
        self.assertEqual((order.state, len(self.sent())), ('sent', 1))
        late = self.order(scheduled_at=fields.Datetime.now() - timedelta(hours=3))
        late.action_confirm()
        late.action_send_due()
        commit(self)
        self.assertEqual((late.state, len(self.sent())), ('failed', 1))

    def test_a_cancelled_order_is_not_sent_by_the_schedule(self):
        self.fake.answers['command'] = (503, {'detail': 'no broker'})
        order = self.order()
        order.action_confirm()
        order.action_send_due()
        commit(self)
        order.action_cancel()
        self.fake.answers['command'] = {'state': 'sent'}
        self.env['iot.device.command']._cron_send()
        commit(self)
        self.assertEqual((order.state, order.command_id.state, len(self.sent())), ('cancelled', 'failed', 1))

    def test_the_status_of_an_order_is_not_written_by_hand(self):
        made = self.order(state='confirmed', amount_kg=300, fed_at=fields.Datetime.now())
        made |= self.env['farm.feeding.order'].with_user(self.manager).with_context(
            default_state='confirmed', default_request_id='mine').create({
                'farm_id': self.farm.id, 'animal_id': self.cow.id, 'feed': 'Hay', 'amount_kg': 300, 'device_id': self.device.id})
        self.assertEqual((set(made.mapped('state')), any(made.mapped('fed_at'))), ({'draft'}, False))
        self.assertNotIn('mine', made.mapped('request_id'))
        for name, value in (('state', 'confirmed'), ('state', 'done'), ('request_id', 'mine'), ('fed_at', '2026-01-01 00:00:00')):
            with self.subTest(name=name, value=value), self.assertRaises(AccessError):
                made.write({name: value})
        commit(self)
        self.assertEqual(self.sent(), [])

    def test_a_feeding_order_is_for_one_recipient_of_the_farm(self):
        with self.assertRaisesRegex(UserError, 'either an animal or a pen'):
            self.order(animal_id=False)
        other = self.env['farm.farm'].create({'name': 'Other', 'code': 'other_farm'})
        with self.assertRaisesRegex(UserError, 'is not on farm'):
            self.order(animal_id=self.env['farm.animal'].create({'name': 'Cow', 'farm_id': other.id}).id)
        with self.assertRaises(AccessError):
            self.order().with_user(self.staff).action_confirm()
