# Commands to devices: sent from the form, once, with rights; and their results.
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .command_case import CommandCase
from .fake_connector import point_to
from .test_connector import commit


@tagged('-at_install', 'post_install')
class TestCommand(CommandCase):

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
