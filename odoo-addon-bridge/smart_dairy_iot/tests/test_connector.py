# Calls to the connector: signed, limited in time, written down; hints after the commit.
from contextlib import contextmanager

from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import tagged
from odoo.tests.common import BaseCase
from odoo.tools import mute_logger

from ..tools.connector_client import signature
from .common import TAG, BridgeCase
from .fake_connector import SECRET, fake_connector, point_to


def in_this_transaction(case):
    """Let what the connector's model does elsewhere happen in the transaction of the test, at once."""
    Connector = type(case.env['iot.connector'])

    @contextmanager
    def own_transaction(self):
        yield case.env(user=self.env.user)
        case.env.flush_all()

    case.patch(Connector, '_own_transaction', own_transaction)
    case.patch(Connector, '_in_background', lambda self, work: work())
    case.patch(Connector, '_fresh_snapshot', lambda self, env: None)


def commit(case):
    """What follows a commit of the transaction of the test."""
    case.env.flush_all()
    case.env.cr.postcommit.run()


@tagged('-at_install', 'post_install')
class TestConnector(BridgeCase):

    def setUp(self):
        super().setUp()
        in_this_transaction(self)
        self.fake = self.enterContext(fake_connector(self.env))
        self.env.cr.postcommit.clear()

    @property
    def calls(self):
        return self.env['iot.connector.call'].search([])

    def ended(self):
        commit(self)

    def test_an_answered_call(self):
        self.fake.answers['question'] = lambda payload: {'accepted': payload['what']}
        Connector = self.env['iot.connector'].with_user(self.staff)
        self.assertEqual(Connector.call('question', {'what': 'open'}, record=self.farm), {'accepted': 'open'})
        self.assertEqual(Connector.call('question', {'what': 'open'}, record=self.farm), {'accepted': 'open'})
        with self.assertRaisesRegex(UserError, 'after the commit'):
            Connector.call('command', {'command': 'open'})
        self.assertEqual((self.fake.bad_signatures, len(self.fake.calls)), (0, 2), 'the same twice in a second')
        self.ended()
        self.assertEqual(len(self.calls), 2)
        call = self.calls[0]
        self.assertEqual((call.path, call.user_id, call.res_model, call.res_id, call.status, call.error),
                         ('question', self.staff, 'farm.farm', self.farm.id, 'ok', False))

    def test_a_signature_is_good_for_one_call(self):
        call = (1_800_000_000, 'POST', '/api/v1/odoo/command', 'the database', b'{}')
        for index, other in enumerate((1_800_000_001, 'PUT', '/api/v1/odoo/notify', 'a copy', b'{} ')):
            changed = call[:index] + (other,) + call[index + 1:]
            self.assertNotEqual(signature(SECRET, *call).split('v2=')[1], signature(SECRET, *changed).split('v2=')[1])

    def test_calls_without_an_answer(self):
        self.fake.answers.update({
            'a': (400, {'title': 'Bad', 'detail': 'no such device'}), 'b': (502, b'<html>'), 'c': (500, {'error': 'oops'})})
        Connector = self.env['iot.connector']
        for path, text in (('a', 'refuses: HTTP 400: no such device'), ('b', 'is the address right'),
                           ('c', 'failed: HTTP 500: oops'), ('d', 'no such path')):
            with self.subTest(path=path), self.assertRaisesRegex(UserError, text):
                Connector.call(path)
        point_to(self.env, 'http://127.0.0.1:9')
        with self.assertRaisesRegex(UserError, 'does not answer: no connection'):
            Connector.call('e')
        self.ended()
        self.assertEqual(self.calls.mapped('status'), ['unreachable', 'refused', 'failed', 'failed', 'refused'])

    def test_a_rolled_back_transaction_is_written_down_too(self):
        self.fake.answers['x'] = {}
        self.env['iot.connector'].call('x')
        self.env.cr.postcommit.clear()
        self.env.cr.postrollback.run()
        self.assertEqual(self.calls.mapped('path'), ['x'])

    def test_without_settings(self):
        self.env['ir.config_parameter'].set_param('smart_dairy.connector_secret', False)
        with self.assertRaisesRegex(UserError, 'No connector is set up'):
            self.env['iot.connector'].call('x')
        self.farm.name = 'No hint'
        self.ended()
        self.assertFalse(self.fake.calls)

    def test_only_settings_administrators_read_the_secret(self):
        for user in (self.staff, self.connector):
            with self.assertRaises(AccessError):
                self.env['ir.config_parameter'].with_user(user).search([('key', '=like', 'smart_dairy.%')]).read()

    def test_nobody_calls_from_outside(self):
        for name in ('call', 'call_later', '_ask', '_bind', '_notify'):
            with self.subTest(name=name), self.assertRaises(AccessError):
                get_public_method(self.env['iot.connector'], name)

    def test_hints_come_once_a_kind_and_only_after_the_commit(self):
        self.cow.pen_id = self.env['farm.pen'].create({'name': 'P1', 'farm_id': self.farm.id})
        self.other_cow.name = 'Daisy II'
        self.cow.note = 'no news for the connector'
        self.env.flush_all()
        self.assertFalse(self.fake.calls)
        self.fake.answers['notify'] = {}
        self.ended()
        self.assertEqual({payload['kind']: payload['ids'] for _path, payload in self.fake.calls},
                         {'pen': self.cow.pen_id.ids, 'animal': (self.cow | self.other_cow).ids})
        self.assertEqual(len(self.fake.calls), 2)

    def test_what_the_connector_writes_is_no_news_to_it(self):
        self.upsert({'source': 's', 'source_id': 'barn/n', 'revision': 1, 'farm': 'barn', 'device_uid': 'n'}, model='Device')
        self.ended()
        self.assertFalse(self.fake.calls)

    def test_a_connector_that_is_away_stops_nobody(self):
        point_to(self.env, 'http://127.0.0.1:9')
        self.cow.name = 'Still saved'
        self.ended()
        self.assertEqual(self.calls.mapped('status'), ['unreachable'])

    def test_the_audit_is_cleared_after_90_days(self):
        Call = self.env['iot.connector.call']
        Call.create([{'path': 'old', 'status': 'ok'}, {'path': 'new', 'status': 'ok'}])
        self.env.cr.execute("UPDATE iot_connector_call SET create_date = now() - interval '91 days' WHERE path = 'old'")
        Call._gc_calls()
        self.assertEqual(self.calls.mapped('path'), ['new'])


@tagged('-at_install', 'post_install')
class TestPull(BridgeCase):

    def setUp(self):
        super().setUp()
        in_this_transaction(self)
        # Everything here is younger than the transaction of the test itself, which is still open.
        self.patch(type(self.env['iot.connector']), '_watermark', lambda self, env, pid: env.cr.now().max)
        self.Connector = self.env['iot.connector'].with_user(self.connector)

    def pull(self, kind, cursor='', limit=1000):
        self.env.flush_all()
        return self.Connector.pull(kind, cursor, limit)

    def only(self, kind, record):
        return [found for found in self.pull(kind)['records'] if found['id'] == record.id]

    def set_times(self, records, *times):
        self.env.flush_all()
        for record, time in zip(records, times):
            self.env.cr.execute(f"UPDATE {records._table} SET write_date = %s WHERE id = %s", [time, record.id])

    def test_only_the_connector_pulls(self):
        for user in (self.staff, self.env.ref('base.user_admin')):
            with self.assertRaises(AccessError):
                self.env['iot.connector'].with_user(user).pull('farm')
        with self.assertRaises(UserError):
            self.pull('res.partner')
        with self.assertRaises(UserError):
            self.pull('farm', 'yesterday')

    def test_pages_in_order_with_equal_times(self):
        herd = self.env['farm.animal'].create([{'name': f'C{n}', 'farm_id': self.farm.id} for n in range(5)])
        future = '2099-01-01 00:00:00'
        self.set_times(herd, f'{future}.000001', f'{future}.000001', future, f'{future}.000002', f'{future}.000001')
        cursor, seen, pages = f'{future}|0', [], 0
        while True:
            page = self.pull('animal', cursor, 2)
            seen += [record['name'] for record in page['records']]
            pages += 1
            cursor = page['cursor']
            if not page['more']:
                break
        self.assertEqual((seen, pages), (['C2', 'C0', 'C1', 'C4', 'C3'], 3))
        self.assertEqual(cursor, f'2099-01-01 00:00:00.000002|{herd[3].id}')
        self.assertEqual(self.pull('animal', cursor), {'records': [], 'cursor': cursor, 'more': False, 'held_back': False})

    def test_the_names_of_the_records(self):
        pen = self.env['farm.pen'].create({'name': 'P1', 'farm_id': self.farm.id})
        self.cow.write({'pen_id': pen.id, 'active': False})
        [animal] = self.only('animal', self.cow)
        self.assertEqual((animal['farm'], animal['rfid_tag'], animal['ear_tag'], animal['pen'], animal['active']),
                         ('barn', False, False, 'P1', False), 'who has left carries no tag')
        [farm] = self.only('farm', self.farm)
        self.assertEqual((farm['code'], farm['name'], farm['active']), ('barn', 'Barn', True))
        device = self.env['iot.device'].create({
            'name': 'Collar', 'device_uid': 'c1', 'farm_id': self.farm.id, 'config_json': '{"interval_s": 60}'})
        assignment = self.env['iot.device.assignment'].create({
            'device_id': device.id, 'animal_id': self.other_cow.id, 'valid_from': '2026-01-01 00:00:00'})
        limit = self.env['iot.threshold'].create({'farm_id': self.farm.id, 'metric': 'milk_temperature', 'high': 4})
        [found] = self.only('device', device)
        self.assertEqual((found['farm'], found['device_uid'], found['state'], found['config'], found['serial_number']),
                         ('barn', 'c1', 'draft', {'interval_s': 60}, False))
        [found] = self.only('assignment', assignment)
        self.assertEqual((found['device_uid'], found['rfid_tag'], found['valid_from'], found['valid_to']),
                         ('c1', self.other_cow.rfid_tag, '2026-01-01 00:00:00', False))
        [found] = self.only('threshold', limit)
        self.assertEqual((found['metric'], found['low'], found['high']), ('milk_temperature', None, 4))

    def test_tags_with_their_time(self):
        self.cow.rfid_tag = False
        self.other_cow.rfid_tag = TAG
        old, new = ((self.cow | self.other_cow).tag_ids.filtered(lambda span: span.tag == TAG)).sorted('id')
        [found] = self.only('animal_tag', old)
        self.assertEqual((found['animal_id'], found['kind'], found['tag'], found['valid_from'], found['valid_to']),
                         (self.cow.id, 'rfid', TAG, False, str(old.valid_to)))
        [found] = self.only('animal_tag', new)
        self.assertEqual((found['animal_id'], found['valid_from'], found['valid_to']),
                         (self.other_cow.id, str(new.valid_from), False))
        rid = new.id
        new.with_user(self.env.ref('base.user_admin')).unlink()
        [stone] = [found for found in self.pull('tombstone')['records'] if found['res_id'] == rid]
        self.assertEqual(stone['kind'], 'animal_tag')

    def test_what_the_connector_itself_wrote_does_not_come_back(self):
        record = {'source': 's', 'source_id': 'barn/n', 'revision': 1, 'farm': 'barn', 'device_uid': 'n',
                  'device_type': 'collar', 'last_seen': '2026-05-01 00:00:00'}
        self.upsert(record, model='Device')
        device = self.env['iot.device'].search([('device_uid', '=', 'n')])
        before = device.changed_at
        self.env.cr.execute("UPDATE iot_device SET changed_at = '2020-01-01' WHERE id = %s", [device.id])
        self.env.invalidate_all()
        self.upsert({**record, 'revision': 2, 'last_seen': '2026-05-01 00:05:00'}, model='Device')
        self.assertEqual(str(device.changed_at), '2020-01-01 00:00:00')
        device.stall = '4'
        self.assertEqual(device.changed_at, before)

    def test_deletions(self):
        rid, tag = self.other_cow.id, self.other_cow.rfid_tag
        manager = self.env.ref('base.user_admin')
        self.other_cow.with_user(manager).unlink()
        [stone] = [found for found in self.pull('tombstone')['records'] if found['res_id'] == rid]
        self.assertEqual(stone['kind'], 'animal')
        self.assertIn(tag, stone['key'])

    def test_a_renamed_farm_is_pulled_with_all_that_stands_on_it(self):
        self.set_times(self.cow, '2020-01-01')
        self.env.invalidate_all()
        self.farm.code = 'stable'
        self.assertTrue(self.cow.write_date.year > 2020)
        [animal] = self.only('animal', self.cow)
        self.assertEqual(animal['farm'], 'stable')

    def test_another_company_is_not_pulled(self):
        self.farm.company_id = self.env['res.company'].create({'name': 'South'})
        self.assertFalse(self.only('farm', self.farm) or self.only('animal', self.cow))
        self.connector.company_ids |= self.farm.company_id
        self.assertTrue(self.only('farm', self.farm) and self.only('animal', self.cow))


@tagged('-at_install', 'post_install')
class TestLateCommit(BaseCase):
    """On real transactions: what a slow transaction commits behind a faster one is not missed."""

    def setUp(self):
        super().setUp()
        from odoo import SUPERUSER_ID, api
        from odoo.modules.registry import Registry
        from odoo.tests.common import get_db_name, new_test_user
        self.registry = Registry(get_db_name())
        self.environment = lambda cr: api.Environment(cr, SUPERUSER_ID, {})
        with self.registry.cursor() as cr:
            env = self.environment(cr)
            self.farm = env['farm.farm'].create({'name': 'Late', 'code': 'late_farm'}).id
            self.user = new_test_user(env, 'late_connector', 'smart_dairy_iot.group_connector').id
        self.addCleanup(self.clean)

    def clean(self):
        with self.registry.cursor() as cr:
            env = self.environment(cr)
            env['farm.animal'].search([('farm_id', '=', self.farm)]).unlink()
            env['farm.farm'].browse(self.farm).unlink()
            env['res.users'].browse(self.user).active = False
            env['res.users'].browse(self.user).login = f'late_{self.user}'

    def pull(self, cursor):
        with self.registry.cursor() as cr:
            page = self.environment(cr)['iot.connector'].with_user(self.user).pull('animal', cursor)
        return [record['name'] for record in page['records'] if record['farm'] == 'late_farm'], page

    @mute_logger('odoo.sql_db')
    def test_late_commit(self):
        with self.registry.cursor() as slow_cr:
            slow = self.environment(slow_cr)
            slow_cr.execute("SELECT now() AT TIME ZONE 'UTC'")
            [begin] = slow_cr.fetchone()
            start = f"{begin.isoformat(' ', 'microseconds')}|0"
            with self.registry.cursor() as fast_cr:
                self.environment(fast_cr)['farm.animal'].create({'name': 'Fast', 'farm_id': self.farm})
            names, page = self.pull(start)
            self.assertEqual((names, page['held_back'], page['cursor']), ([], True, start))
            slow['farm.animal'].create({'name': 'Slow', 'farm_id': self.farm})
        names, page = self.pull(start)
        self.assertEqual((names, page['held_back']), (['Slow', 'Fast'], False))
