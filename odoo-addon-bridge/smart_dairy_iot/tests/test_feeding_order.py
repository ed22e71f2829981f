# Feeding orders that become commands, when they are due and not when it is too late.
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .command_case import CommandCase
from .fake_connector import point_to
from .test_connector import commit


@tagged('-at_install', 'post_install')
class TestFeedingOrder(CommandCase):

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

    def test_a_deleted_order_is_not_sent_by_the_schedule(self):
        self.fake.answers['command'] = (503, {'detail': 'no broker'})
        order = self.order()
        order.action_confirm()
        order.action_send_due()
        commit(self)
        command = order.command_id
        order.unlink()
        self.fake.answers['command'] = {'state': 'sent'}
        self.env['iot.device.command']._cron_send()
        commit(self)
        self.assertEqual((command.state, len(self.sent())), ('failed', 1))

    def test_an_order_that_is_cancelled_before_the_commit_is_not_sent(self):
        order = self.order()
        order.action_confirm()
        order.action_send_due()
        order.action_cancel()
        commit(self)
        self.assertEqual((order.state, self.sent()), ('cancelled', []))

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
