# The Synchronisation screen, latest values, the key's end and its rotation, getting started.
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from ..models import iot_connector_latest
from .common import BridgeCase
from .fake_connector import fake_connector, point_to
from .test_connector import in_this_transaction

PARKED = {'id': 2**40, 'kind': 'milk_session', 'source_id': 'barn/m1/7', 'revision': 1, 'attempts': 1,
          'error': 'farm: unknown', 'pending_since': '2026-05-01T04:00:00.123Z'}


class SyncCase(BridgeCase):

    def setUp(self):
        super().setUp()
        in_this_transaction(self)
        self.fake = self.enterContext(fake_connector(self.env))
        iot_connector_latest._kept.clear()
        self.addCleanup(iot_connector_latest._kept.clear)
        self.admin = new_test_user(self.env, 'sync_admin', 'smart_dairy_iot.group_iot_admin')

    def issue_key(self):
        self.env['iot.bridge.setup']._issue_connector_key()
        return self.env['res.users'].search([('login', '=', 'smart_dairy_connector')])


@tagged('-at_install', 'post_install')
class TestSyncScreen(SyncCase):

    def opened(self):
        action = self.env['iot.sync'].with_user(self.admin).action_open()
        return self.env['iot.sync'].with_user(self.admin).browse(action['res_id'])

    def test_what_the_connector_says(self):
        self.fake.answers['outbox/summary'] = {'kinds': [
            {'kind': 'milk_session', 'pending': 3, 'parked': 1, 'oldest_pending_s': 125},
            {'kind': 'alert', 'pending': 0, 'parked': 0, 'oldest_pending_s': None}], 'cursors': []}
        self.fake.answers['outbox/parked'] = {'records': [PARKED]}
        sync = self.opened()
        self.assertEqual((sync.pending, sync.parked, sync.oldest, sync.problem), (3, 1, '2 min 5 s', False))
        row = sync.parked_ids
        self.assertEqual((row.source_ref, row.error, str(row.since)), ('barn/m1/7', 'farm: unknown', '2026-05-01 04:00:00'))
        self.fake.answers.update({'outbox/retry': {'retried': 1}, 'outbox/ignore': {'ignored': 1}, 'key/rotate': {}})
        for act in (row.action_retry, row.action_ignore, sync.action_retry_all, sync.action_rotate_key):
            self.assertEqual(act()['res_model'], 'iot.sync')
        told = [(path, payload) for path, payload in self.fake.calls if path in ('outbox/retry', 'outbox/ignore', 'key/rotate')]
        self.assertEqual(told, [('outbox/retry', {'ids': [2**40]}), ('outbox/ignore', {'ids': [2**40]}),
                                ('outbox/retry', {'ids': [2**40]}), ('key/rotate', {})])

    def test_it_opens_without_a_connector(self):
        for answer, text in ((None, 'does not answer'), ({'kinds': [{}]}, 'not understood'), ((503, {}), 'failed: HTTP 503')):
            with self.subTest(text=text):
                self.fake.answers['outbox/parked'] = {'records': []}
                if answer:
                    self.fake.answers['outbox/summary'] = answer
                    sync = self.opened()
                else:
                    url = self.env['ir.config_parameter'].get_param('smart_dairy.connector_url')
                    point_to(self.env, 'http://127.0.0.1:9')
                    sync = self.opened()
                    point_to(self.env, url)
                self.assertIn(text, sync.problem)

    def test_the_menu_is_for_iot_administrators(self):
        action = self.env.ref('smart_dairy_iot.iot_sync_action')
        self.assertEqual(action.with_user(self.admin).run()['res_model'], 'iot.sync')
        with self.assertRaises(AccessError):
            action.with_user(self.staff).run()


@tagged('-at_install', 'post_install')
class TestLatestValues(SyncCase):

    def device(self):
        return self.env['iot.device'].create({
            'name': 'T', 'device_uid': 't1', 'farm_id': self.farm.id, 'source': 's', 'source_id': 'barn/t1'})

    def test_values_are_fetched_once_in_ten_seconds(self):
        self.fake.answers['latest'] = {
            'values': [
                {'device': 'barn/t1', 'metric': 'milk_temperature', 'value': 3.25, 'unit': 'Cel', 'quality': 0,
                 'time': '2026-05-01T04:00:00.000Z'},
                {'device': 'barn/t1', 'metric': 'own_metric', 'value': 2, 'unit': '{count}', 'quality': 1, 'time': 'nonsense'},
            ],
            'series': [{'device': 'barn/t1', 'metric': 'milk_temperature', 'points': [[1777607100, 3.1], [1777608000, 3.25]]}],
        }
        device = self.device().with_user(self.staff)
        answer = device.recent_values()
        self.assertEqual((answer['message'], answer['hours']), (False, 24))
        self.assertEqual(answer['values'], [
            {'label': 'Milk Temperature', 'value': 3.25, 'unit': '°C', 'time': 1777608000, 'doubtful': False,
             'points': [[1777607100, 3.1], [1777608000, 3.25]]},
            {'label': 'Own metric', 'value': 2, 'unit': '', 'time': False, 'doubtful': True, 'points': []},
        ])
        self.assertEqual(device.recent_values(), answer)
        self.assertEqual(self.fake.calls, [('latest', {'devices': ['barn/t1'], 'chart_hours': 24})])

    def test_nothing_stands_in_the_way_of_the_form(self):
        device = self.device()
        for answer in ((500, {}), (200, b'<html>'), {'values': 3}, {}, {'values': [], 'series': 1}):
            iot_connector_latest._kept.clear()
            self.fake.answers['latest'] = answer
            with self.subTest(answer=answer):
                self.assertIn('cannot be shown now', device.with_user(self.staff).recent_values()['message'])
        calls = len(self.fake.calls)
        self.assertIn('cannot be shown', device.recent_values()['message'])
        self.assertEqual(len(self.fake.calls), calls, 'a connector that is away is not asked again at once')
        Form(device.with_user(self.staff))
        self.assertEqual(len(self.fake.calls), calls, 'opening a form waits for nobody')

    def test_words_for_what_is_not_there(self):
        device = self.device()
        self.fake.answers['latest'] = {'values': [], 'series': []}
        self.assertEqual(device.recent_values()['message'], "No value in the last two days.")
        device.source_id = False
        self.assertEqual(device.recent_values()['message'], "This device has not talked yet.")

    def test_who_may_not_see_the_device_sees_no_values(self):
        outsider = new_test_user(self.env, 'latest_outsider', 'base.group_user')
        with self.assertRaises(AccessError):
            self.device().with_user(outsider).recent_values()


@tagged('-at_install', 'post_install')
class TestKey(SyncCase):

    def ends_in(self, days):
        user = self.issue_key()
        self.env.cr.execute("UPDATE res_users_apikeys SET expiration_date = %s WHERE user_id = %s",
                            [fields.Datetime.now() + timedelta(days=days), user.id])
        self.env.invalidate_all()
        return user

    def test_rotation_without_a_gap(self):
        user = self.ends_in(5)
        Connector = self.env['iot.connector'].with_user(user)
        new = Connector.rotate_key()
        self.env.invalidate_all()
        keys = self.env['res.users.apikeys'].search([('user_id', '=', user.id)], order='expiration_date')
        now = fields.Datetime.now()
        self.assertEqual(len(keys), 2)
        self.assertTrue(timedelta(minutes=59) < keys[0].expiration_date - now <= timedelta(minutes=60, seconds=1))
        self.assertEqual(Connector.key_info()['expires'], new['expires'])
        self.assertEqual(self.env['res.users.apikeys']._check_credentials(scope='rpc', key=new['api_key']), user.id)
        for other in (self.staff, self.admin):
            for name in ('rotate_key', 'key_info'):
                with self.assertRaises(AccessError):
                    getattr(self.env['iot.connector'].with_user(other), name)()

    def test_administrators_are_warned_once_and_the_warning_goes(self):
        partner = self.ends_in(13).partner_id
        self.fake.answers.update({'outbox/summary': {'kinds': []}, 'outbox/parked': {'records': []}})
        for _again in range(2):
            self.env['iot.connector']._cron_warn_of_key()
            mine = partner.activity_ids.filtered(lambda activity: activity.user_id == self.admin)
            self.assertEqual(len(mine), 1)
        self.assertNotIn(self.env.ref('base.user_root'), partner.activity_ids.user_id)
        sync = self.env['iot.sync'].with_user(self.admin)
        self.assertIn('Rotate Key', sync._fetch()['key_warning'])
        self.ends_in(15)
        self.env['iot.connector']._cron_warn_of_key()
        self.assertFalse(partner.activity_ids)
        self.assertFalse(sync._fetch()['key_warning'])


@tagged('-at_install', 'post_install')
class TestOnboarding(SyncCase):

    def test_steps_and_test(self):
        manager = new_test_user(self.env, 'start_manager', 'smart_dairy_farm.group_farm_manager')
        Start = self.env['iot.onboarding']
        step = Start.with_user(manager).browse(Start.with_user(manager).action_open()['res_id'])
        self.assertGreaterEqual(step.animal_count, 2)
        self.env['iot.device'].create([
            {'name': 'd', 'device_uid': 'd', 'farm_id': self.farm.id, 'state': state} for state in ('discovered',)])
        self.env.invalidate_all()
        self.assertGreaterEqual(step.discovered_count, 1)
        for act in (step.action_animals, step.action_devices, step.action_milkings):
            self.assertEqual(act()['type'], 'ir.actions.act_window')
        with self.assertRaises(AccessError):
            step.connector_url  # noqa: B018
        boss = Start.with_user(self.env.ref('base.user_admin')).create({})
        url = boss.connector_url
        self.assertIn('127.0.0.1', url)
        self.fake.answers['outbox/summary'] = {'kinds': []}
        self.assertEqual(boss.action_connect()['params']['type'], 'success')
        boss.write({'connector_secret': 'wrong one'})
        self.fake.answers['outbox/summary'] = (401, {'detail': 'the signature is wrong'})
        answer = boss.action_connect()['params']
        self.assertEqual((answer['type'], boss.connector_secret), ('danger', False))
        self.assertIn('signature is wrong', answer['message'])
