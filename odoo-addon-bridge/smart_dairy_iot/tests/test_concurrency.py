# Two calls at once, on real transactions: one record a key, whoever was first.
import threading
from contextlib import ExitStack, contextmanager
from functools import partial

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ConcurrencyError
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tests.common import BaseCase, get_db_name
from odoo.tools import mute_logger

from .common import milking

FARM = 'race_farm'


@tagged('-at_install', 'post_install')
class TestConcurrency(BaseCase):

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.addCleanup(self.clean)
        with self.transaction() as env:
            env['farm.farm'].create({'name': 'Race', 'code': FARM})

    def clean(self):
        with self.transaction() as env:
            for table in ('iot_milk_session', 'iot_device'):
                env.cr.execute(f"DELETE FROM {table} WHERE source_id LIKE %s", [f'{FARM}/%'])
            env.cr.execute("DELETE FROM farm_farm WHERE code LIKE %s", [f'{FARM}%'])

    @contextmanager
    def transaction(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            cr.execute("SELECT 1")  # from here on this transaction sees nothing that others commit
            yield env

    def record(self, key='1', revision=1, **values):
        return milking(f'{FARM}/{key}', revision, farm=FARM, device_uid=None, **values)

    def upsert(self, env, *records):
        return [answer['status'] for answer in env['iot.milk.session'].upsert_batch(list(records))]

    def test_losing_the_race_for_a_key_ends_as_an_update(self):
        with self.transaction() as slow:
            with self.transaction() as fast:
                self.assertEqual(self.upsert(fast, self.record(yield_kg=1)), ['created'])
            with self.assertRaises(ConcurrencyError), mute_logger('odoo.sql_db'), slow.cr.savepoint():
                self.upsert(slow, self.record(revision=2, yield_kg=2))
            with mute_logger('odoo.sql_db'):
                answer = retrying(partial(self.upsert, slow, self.record(revision=2, yield_kg=2)), slow)
            self.assertEqual(answer, ['updated'])
        with self.transaction() as env:
            sessions = env['iot.milk.session'].search([('source_id', '=', f'{FARM}/1')])
            self.assertEqual(sessions.mapped('yield_kg'), [2])

    def test_serialization_failures_come_out_of_the_call(self):
        with self.transaction() as env:
            self.upsert(env, self.record())
        with self.transaction() as slow:
            with self.transaction() as fast:
                self.assertEqual(self.upsert(fast, self.record(revision=3, yield_kg=3)), ['updated'])
            with self.assertRaises(psycopg2.errors.SerializationFailure), mute_logger('odoo.sql_db'):
                self.upsert(slow, self.record('other'), self.record(revision=2, yield_kg=2))
            slow.cr.rollback()
            answer = retrying(partial(self.upsert, slow, self.record('other'), self.record(revision=2)), slow)
            self.assertEqual(answer, ['created', 'stale'])

    def test_the_same_new_farm_and_device_from_two_calls(self):
        new = {'farm': f'{FARM}_new', 'device_uid': 'm1'}
        with self.transaction() as slow:
            with self.transaction() as fast:
                self.assertEqual(self.upsert(fast, {**self.record('a'), **new}), ['created'])
            with self.assertNoLogs('odoo.sql_db', 'ERROR'):
                self.assertEqual(retrying(partial(self.upsert, slow, {**self.record('b'), **new}), slow), ['created'])
        with self.transaction() as env:
            env.cr.execute("DELETE FROM iot_milk_session WHERE source_id LIKE %s", [f'{FARM}/%'])
            farm = env['farm.farm'].search([('code', '=', new['farm'])])
            devices = env['iot.device'].search([('farm_id', '=', farm.id)])
            self.assertEqual((len(farm), len(devices)), (1, 1))
            devices.unlink()

    def test_a_device_that_is_discovered_while_its_own_record_comes(self):
        device = {'source': 'smart_dairy', 'source_id': f'{FARM}/m2', 'revision': 1, 'farm': FARM, 'device_uid': 'm2',
                  'name': 'm2', 'device_type': 'milk_meter'}
        with self.transaction() as slow:
            with self.transaction() as fast:
                self.assertEqual(self.upsert(fast, {**self.record('c'), 'device_uid': 'm2'}), ['created'])
            with self.assertNoLogs('odoo.sql_db', 'ERROR'):
                [answer] = retrying(partial(slow['iot.device'].upsert_batch, [device]), slow)
            self.assertEqual(answer['status'], 'updated')

    def test_two_calls_that_discover_at_the_same_moment(self):
        with self.transaction() as slow, self.transaction() as fast:
            slow['iot.bridge.resolver']._claim('farm.farm', 'company_id', slow.company.id, 'code', [f'{FARM}_x'])
            with self.assertRaises(ConcurrencyError):
                fast['iot.bridge.resolver']._claim('farm.farm', 'company_id', fast.company.id, 'code', [f'{FARM}_x'])

    def test_what_rules_hide_is_no_race(self):
        # Committed, and in our snapshot: who looked it up and did not find it may not see it.
        with self.transaction() as env:
            env['iot.bridge.resolver']._claim('farm.farm', 'company_id', env.company.id, 'code', [FARM])

    def test_three_callers_with_the_same_records(self):
        # Odoo holds this lock while tests run, and a retry in another thread needs it.
        self.patch(Registry, '_lock', DummyRLock())
        answers, failures = [], []

        def call(env, revision):
            try:
                records = [self.record(str(n), revision, yield_kg=revision) for n in range(50)]
                answers.append(retrying(partial(self.upsert, env, *records), env))
            except Exception as error:  # noqa: BLE001 shown by the assertion below
                failures.append(error)

        with ExitStack() as stack, mute_logger('odoo.sql_db'):
            envs = [stack.enter_context(self.transaction()) for _ in range(3)]
            threads = [
                threading.Thread(target=call, args=(env, number), daemon=True) for number, env in enumerate(envs, 1)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            self.assertFalse(any(thread.is_alive() for thread in threads), 'the calls wait for each other')
        self.assertEqual(failures, [])
        self.assertEqual(sum(answer.count('created') for answer in answers), 50)
        with self.transaction() as env:
            sessions = env['iot.milk.session'].search([('source_id', '=like', f'{FARM}/%')])
            self.assertEqual((len(sessions), set(sessions.mapped('yield_kg'))), (50, {3}))
