# upsert_batch: created, unchanged, stale, updated, and one bad record among good ones.
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SOURCE, BridgeCase, milking


@tagged('-at_install', 'post_install')
class TestUpsert(BridgeCase):

    def test_created_then_unchanged_then_updated_then_stale(self):
        [first] = self.upsert(milking())
        self.assertEqual(first, {
            'source_id': 'barn/m1/1', 'status': 'created', 'id': self.session().id, 'error': False, 'error_type': False})
        [again] = self.upsert(milking(yield_kg=99))
        self.assertEqual((again['status'], again['id']), ('unchanged', first['id']))
        self.assertEqual(self.session().yield_kg, 12.345)
        [newer] = self.upsert(milking(revision=3, yield_kg=13.5))
        self.assertEqual((newer['status'], newer['id']), ('updated', first['id']))
        [older] = self.upsert(milking(revision=2, yield_kg=1))
        self.assertEqual((older['status'], older['id']), ('stale', first['id']))
        self.assertEqual((self.session().yield_kg, self.session().revision), (13.5, 3))

    def test_every_value_arrives(self):
        self.upsert(milking())
        session = self.session()
        for name, value in milking().items():
            if name in session._fields and name not in ('start_datetime', 'end_datetime', 'animal_ref'):
                with self.subTest(name=name):
                    self.assertEqual(session[name], value)
        self.assertEqual(str(session.start_datetime), '2026-05-01 04:00:00')
        self.assertEqual(str(session.end_datetime), '2026-05-01 04:06:30')
        self.assertEqual(session.company_id, self.farm.company_id)

    def test_null_and_absent_are_no_value_and_zero_is_zero(self):
        record = milking(fat_percentage=None, somatic_cell_count=None, blood=0)
        del record['protein_percentage']
        self.upsert(record)
        session = self.session()
        self.env.invalidate_all()
        for name in ('fat_percentage', 'somatic_cell_count', 'protein_percentage'):
            self.assertIs(session[name], False, name)
        self.assertEqual(session.blood, 0)
        self.assertIsNot(session.blood, False)
        self.assertEqual(session.read(['fat_percentage', 'blood'])[0],
                         {'id': session.id, 'fat_percentage': False, 'blood': 0.0})
        [(mean, count)] = session._read_group([('id', '=', session.id)], [], ['fat_percentage:avg', '__count'])
        self.assertEqual((mean, count), (False, 1))
        self.assertFalse(session.search([('id', '=', session.id), ('fat_percentage', '<', 3)]))

    def test_a_revision_is_complete_so_a_missing_value_is_cleared(self):
        self.upsert(milking())
        self.upsert(milking(revision=2, fat_percentage=None, quality_grade=None, end_datetime=None, device_uid=None))
        self.env.invalidate_all()
        session = self.session()
        self.assertIs(session.fat_percentage, False)
        self.assertFalse(session.quality_grade or session.end_datetime or session.device_id)
        self.env.cr.execute("SELECT fat_percentage FROM iot_milk_session WHERE id = %s", [session.id])
        self.assertIsNone(self.env.cr.fetchone()[0])

    def test_good_records_survive_bad_ones_and_keep_their_order(self):
        answers = self.upsert(
            milking('a'), milking('b', quality_grade='D'), milking('c', yeld_kg=1), 'nonsense', milking('d', farm=None),
            milking('e', yield_kg=-1), milking('f', end_datetime='2026-05-01 03:59:59'), milking('g'))
        self.assertEqual([answer['status'] for answer in answers], ['created', *['error'] * 6, 'created'])
        self.assertEqual([answer['source_id'] for answer in answers], ['a', 'b', 'c', False, 'd', 'e', 'f', 'g'])
        errors = [answer['error'] for answer in answers]
        self.assertEqual(errors[1], "quality_grade: 'D' is not allowed, use one of A, B, C, reject")
        self.assertEqual(errors[2], "yeld_kg: unknown key, did you mean yield_kg?")
        self.assertIn('must be an object', errors[3])
        self.assertEqual(errors[4], 'farm: is required')
        self.assertEqual(errors[5], 'yield_kg: -1.0 is negative')
        self.assertEqual(
            errors[6], 'end_datetime: 2026-05-01 03:59:59 is before start_datetime 2026-05-01 04:00:00')
        self.assertEqual({answer['error_type'] for answer in answers}, {False, 'validation'})

    def test_a_record_that_only_the_database_refuses_stands_alone(self):
        self.env.cr.execute("ALTER TABLE iot_milk_session ADD CONSTRAINT test_no_stall_13 CHECK (stall <> '13')")
        records = [milking(f's{n}', stall='13' if n == 5 else '1') for n in range(20)]
        with mute_logger('odoo.sql_db'):
            answers = self.upsert(*records)
        self.assertEqual([answer['status'] for answer in answers].count('created'), 19)
        self.assertEqual((answers[5]['status'], answers[5]['error_type']), ('error', 'validation'))
        with mute_logger('odoo.sql_db'):
            answers = self.upsert(*[{**record, 'revision': 2, 'yield_kg': 5} for record in records])
        self.assertEqual([answer['status'] for answer in answers].count('updated'), 19)
        self.assertEqual(answers[5]['status'], 'error')
        self.assertEqual(self.session('s6').yield_kg, 5)

    def test_the_same_key_twice_in_one_batch_is_applied_in_order(self):
        answers = self.status(
            milking(revision=1, yield_kg=1), milking('other'), milking(revision=3, yield_kg=3),
            milking(revision=2, yield_kg=2), milking(revision=3, yield_kg=4))
        self.assertEqual(answers, ['created', 'created', 'updated', 'stale', 'unchanged'])
        self.assertEqual(self.session().yield_kg, 3)

    def test_the_same_id_of_another_source_is_another_record(self):
        self.assertEqual(self.status(milking(), milking(source='elsewhere')), ['created', 'created'])

    def test_unknown_farm_and_device_are_discovered_once(self):
        answers = self.status(*[
            milking(f'new/{n}', farm='new_farm', device_uid=f'm{n % 2}') for n in range(4)])
        self.assertEqual(answers, ['created'] * 4)
        farm = self.env['farm.farm'].search([('code', '=', 'new_farm')])
        self.assertEqual((len(farm), farm.state, farm.company_id), (1, 'discovered', self.connector.company_id))
        devices = self.env['iot.device'].search([('farm_id', '=', farm.id)])
        self.assertEqual(sorted(devices.mapped('source_id')), ['new_farm/m0', 'new_farm/m1'])
        self.assertEqual(set(devices.mapped('state')), {'discovered'})
        self.assertEqual(set(devices.mapped('device_type')), {'milk_meter'})

    def test_a_farm_code_that_cannot_be_is_an_error_of_its_records_only(self):
        answers = self.upsert(milking('a', farm='no/good'), milking('b'), milking('c', farm='no/good'))
        self.assertEqual([answer['status'] for answer in answers], ['error', 'created', 'error'])
        self.assertIn('no/good', answers[0]['error'])

    def test_two_companies_with_the_same_farm_code(self):
        second, third = self.env['res.company'].create([{'name': 'Second'}, {'name': 'Third'}])
        self.env['farm.farm'].create({'name': 'Their Barn', 'code': 'barn', 'company_id': second.id})
        self.connector.company_ids |= second | third
        self.upsert(milking('a'))
        self.assertEqual(self.session('a').farm_id, self.farm, "the caller's own company wins")
        self.connector.company_id = third
        [answer] = self.upsert(milking('b'))
        self.assertEqual(answer['status'], 'error')
        self.assertIn('several companies', answer['error'])

    def test_large_batches(self):
        answers = self.status(*[milking(f'many/{n}', device_uid=f'm{n % 8}') for n in range(1000)])
        self.assertEqual(answers, ['created'] * 1000)
        self.assertEqual(self.status(*[milking(f'many/{n}') for n in range(1000)]), ['unchanged'] * 1000)
        self.assertEqual(self.env['iot.milk.session'].search_count([('source_id', '=like', 'many/%')]), 1000)

    def test_what_is_no_list_or_no_right_ends_the_call(self):
        with self.assertRaises(UserError):
            self.Session.upsert_batch({'source': SOURCE})
        self.assertEqual(self.Session.upsert_batch([]), [])
        with self.assertRaises(AccessError):
            self.env['iot.milk.session'].with_user(self.staff).upsert_batch([milking()])

    def test_equal_revisions_with_other_content_are_told_apart(self):
        def sent(revision, content, **values):
            [answer] = self.upsert(milking(revision=revision, content_hash=content, **values))
            return answer
        self.assertEqual(sent(2, 'a', yield_kg=10)['status'], 'created')
        self.assertEqual(self.session().content_hash, 'a')
        self.assertEqual(sent(2, 'a')['status'], 'unchanged')
        self.assertEqual(sent(1, 'a')['status'], 'unchanged', 'the content is here')
        other = sent(2, 'b', yield_kg=11)
        self.assertEqual((other['status'], other['revision']), ('stale', 2))
        self.assertIn('other content', other['error'])
        older = sent(1, 'b', yield_kg=11)
        self.assertEqual((older['status'], older['revision']), ('stale', 2))
        self.assertEqual(self.session().yield_kg, 10)
        self.assertEqual(sent(3, 'b', yield_kg=11)['status'], 'updated')
        self.assertEqual((self.session().yield_kg, self.session().content_hash), (11, 'b'))

    def test_content_that_is_not_known_is_written_once_more(self):
        self.upsert(milking(yield_kg=10))
        self.assertEqual(self.status(milking(yield_kg=10)), ['unchanged'])
        self.assertEqual(self.status(milking(yield_kg=10, content_hash='a')), ['updated'])
        self.assertEqual((self.session().content_hash, self.session().revision), ('a', 1))

    def test_the_company_is_part_of_the_key(self):
        south = self.env['res.company'].create({'name': 'South'})
        self.env['farm.farm'].create({'name': 'South Barn', 'code': 'south_barn', 'company_id': south.id})
        self.connector.company_ids |= south
        self.assertEqual(self.status(milking(yield_kg=1), milking(farm='south_barn', yield_kg=2)), ['created', 'created'])
        self.assertEqual(sorted(self.session().mapped('yield_kg')), [1, 2])
        self.assertEqual(self.status(milking(revision=2, farm='south_barn', yield_kg=3)), ['updated'])
        self.assertEqual(sorted(self.session().mapped('yield_kg')), [1, 3])

    def test_what_is_deleted_during_the_call_is_tried_again(self):
        gone = self.env['farm.animal'].create({'name': 'Gone', 'farm_id': self.farm.id})
        gone_id = gone.id
        gone.unlink()

        def stale_look(resolver, entries, moment):
            for entry in entries:
                entry.values['animal_id'] = gone_id if entry.values['source_id'] == 'b' else False
        self.patch(type(self.env['iot.bridge.resolver']), '_resolve_animals', stale_look)
        with mute_logger('odoo.sql_db'):
            answers = self.upsert(milking('a'), milking('b'))
        self.assertEqual([answer['status'] for answer in answers], ['created', 'error'])
        self.assertEqual(answers[1]['error_type'], 'transient')
        self.assertIn('deleted during the call', answers[1]['error'])

    def test_a_record_that_vanishes_before_it_is_written_is_tried_again(self):
        self.upsert(milking())

        def vanished(model, entries):
            return model.env['farm.animal'].browse(2**31 - 2).name
        self.patch(type(self.Session), '_bridge_update', vanished)
        [answer] = self.upsert(milking(revision=2))
        self.assertEqual((answer['status'], answer['error_type']), ('error', 'transient'))

    def test_a_fault_of_our_own_is_transient_and_logged(self):
        def broken(model, entry):
            if entry.values['source_id'] == 'b':
                raise KeyError('bug')
            return original(model, entry)
        original = type(self.Session)._bridge_values
        self.patch(type(self.Session), '_bridge_values', broken)
        with self.assertLogs('odoo.addons.smart_dairy_iot.models.iot_bridge_isolation', 'ERROR'):
            answers = self.upsert(milking('a'), milking('b'), milking('c'))
        self.assertEqual([answer['status'] for answer in answers], ['created', 'error', 'created'])
        self.assertEqual(answers[1]['error_type'], 'transient')
