# A thousand records cost a handful of queries, not a handful each.
from datetime import datetime, timedelta

from odoo.tests import new_test_user, tagged

from .common import SOURCE, BridgeCase, milking

THOUSAND = 1000


@tagged('-at_install', 'post_install')
class TestQueries(BridgeCase):

    def counted(self, work):
        """How many queries ``work()`` takes, with what it leaves to be written."""
        self.env.cr.flush()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def device(self, number, revision, **values):
        return {
            'source': SOURCE, 'source_id': f'barn/d{number}', 'revision': revision, 'farm': 'barn', 'device_uid': f'd{number}',
            'device_type': 'milk_meter', 'content_hash': f'{number}/{revision}', **values}

    def milkings(self, count, revision=1, **values):
        start = datetime(2026, 5, 1, 4)
        return [
            milking(f'barn/m1/{n}', revision, start_datetime=str(start + timedelta(minutes=10 * n)),
                    end_datetime=str(start + timedelta(minutes=10 * n + 6)), **values) for n in range(count)]

    def corrected(self):
        """The milkings of the farm for farm staff, who has corrected one before: what Odoo knows of users and rules is known.
        (What people change is also noted in a message for each record; that is Odoo's own.)"""
        sessions = self.env['iot.milk.session'].search([('farm_id', '=', self.farm.id)]).with_user(self.staff)
        sessions = sessions.with_context(tracking_disable=True)
        sessions[0].animal_id = self.cow
        sessions[0].animal_id = False
        return sessions

    def test_device_updates(self):
        self.upsert(*[self.device(n, 1) for n in range(THOUSAND)], model='Device')
        devices = self.env['iot.device'].search([('farm_id', '=', self.farm.id)])
        devices[::2].with_context(tracking_disable=True).write({'state': 'active'})
        # The seventh has told all of it before: what stays as it was is not among its changes.
        self.upsert(self.device(0, 2), self.device(
            7, 2, last_seen='2026-05-01 04:00:07', battery_level=7, message_count=7, rssi=-0.7, firmware_version='7.0'), model='Device')
        # What devices tell of themselves, each something else, and not all of it each time.
        news = [
            self.device(n, 3, last_seen=f'2026-05-01 04:{n // 60 % 60:02}:{n % 60:02}', battery_level=n % 100, message_count=n,
                        **({'rssi': -n / 10} if n % 3 else {}), **({'firmware_version': f'{n}.0'} if n % 5 else {}))
            for n in range(THOUSAND)]
        answers = []
        queries = self.counted(lambda: answers.extend(self.status(*news, model='Device')))
        self.assertEqual(set(answers), {'updated'})
        self.assertLessEqual(queries, 10)
        self.env.invalidate_all()
        for number in (0, 7, 30, 999):
            found = devices.filtered(lambda device: device.device_uid == f'd{number}')
            self.assertEqual(
                (found.battery_level, found.message_count, found.rssi, found.firmware_version, found.revision, str(found.last_seen)),
                (number % 100, number, -number / 10 if number % 3 else False, f'{number}.0' if number % 5 else False, 3,
                 f'2026-05-01 04:{number // 60 % 60:02}:{number % 60:02}'))

    def test_milking_updates(self):
        self.upsert(*self.milkings(THOUSAND))
        queries = self.counted(lambda: self.upsert(*self.milkings(THOUSAND, 2, yield_kg=13, fat_percentage=None)))
        self.assertLessEqual(queries, 25)
        sessions = self.env['iot.milk.session'].search([('farm_id', '=', self.farm.id)])
        self.env.invalidate_all()
        self.assertEqual((set(sessions.mapped('yield_kg')), set(sessions.mapped('fat_percentage'))), ({13}, {False}))

    def test_corrections(self):
        self.upsert(*self.milkings(THOUSAND, rfid_tag=None))
        sessions = self.corrected()
        queries = self.counted(lambda: sessions.write({'animal_id': self.other_cow.id}))
        self.assertLessEqual(queries, 10)
        self.assertEqual((set(sessions.mapped('identification')), sessions.corrected_by_id), ({'corrected'}, self.staff))
        self.env.invalidate_all()
        # Each by the days before it, which are of the same correction.
        latest = sessions.sorted('start_datetime')[-1]
        self.assertAlmostEqual(latest.expected_yield_kg, 12.345)
        self.assertIs(sessions.sorted('start_datetime')[0].expected_yield_kg, False)

    def test_corrections_by_tags_that_were_entered_late(self):
        cows = self.env['farm.animal'].create([
            {'name': str(n), 'farm_id': self.farm.id} for n in range(100)])
        records = self.milkings(THOUSAND)
        for number, record in enumerate(records):
            record['rfid_tag'] = f'05000000008{number % 100:04}'
        self.upsert(*records)
        for number, cow in enumerate(cows):
            cow.rfid_tag = f'05000000008{number:04}'
        sessions, answers = self.corrected(), []
        queries = self.counted(lambda: answers.append(sessions.action_match_again()))
        self.assertIn('1000 of 1000', answers[0]['params']['message'])
        self.assertEqual(len(sessions.animal_id), 100)
        self.assertLessEqual(queries, 25)
        spans = self.env['farm.animal.tag'].with_user(self.staff).browse(cows.tag_ids.ids)
        self.assertLessEqual(self.counted(lambda: spans.action_move_milkings()), 25)

    def test_corrected_milkings_take_their_alerts_along(self):
        self.upsert(*self.milkings(THOUSAND))
        self.upsert(*[{
            'source': SOURCE, 'source_id': f'barn/m1/{n}/x', 'revision': 1, 'farm': 'barn', 'alert_type': 'x', 'severity': 'low',
            'message': 'x', 'raised_at': record['end_datetime'], 'milk_session': record['source_id'], 'rfid_tag': record['rfid_tag']}
            for n, record in enumerate(self.milkings(THOUSAND))], model='Alert')
        sessions = self.corrected()
        queries = self.counted(lambda: sessions.write({'animal_id': self.other_cow.id}))
        self.assertLessEqual(queries, 30)
        [first] = self.env['iot.alert'].search([('animal_id', '=', self.other_cow.id), ('episode_id', '=', False)])
        self.assertEqual(first.occurrences, THOUSAND)

    def test_a_farm_that_changes_its_company(self):
        south = self.env['res.company'].create({'name': 'South'})
        mover = new_test_user(
            self.env, 'mover', 'smart_dairy_farm.group_farm_manager', company_ids=[(6, 0, (self.env.company | south).ids)])
        hills = self.env['farm.farm'].create([{'name': code, 'code': code} for code in ('hill', 'hill2')])
        # The second time what Odoo knows of users and rules is known.
        [_first, few] = [self.counted(lambda farm=farm: farm.with_user(mover).write({'company_id': south.id})) for farm in hills]
        self.upsert(*[self.device(n, 1) for n in range(THOUSAND)], model='Device')
        self.upsert(*self.milkings(THOUSAND))
        devices = self.env['iot.device'].search([('farm_id', '=', self.farm.id)])
        self.env['iot.device.assignment'].create([
            {'device_id': device.id, 'animal_id': self.cow.id, 'valid_from': '2026-01-01 00:00:00'} for device in devices])
        self.env['iot.device.calibration'].create([{'device_id': device.id} for device in devices])
        many = self.counted(lambda: self.farm.with_user(mover).write({'company_id': south.id}))
        self.assertLessEqual(many - few, 10, (few, many))
        self.env.invalidate_all()
        for model in ('farm.animal', 'iot.device', 'iot.milk.session', 'iot.device.assignment', 'iot.device.calibration'):
            records = self.env[model].search([('farm_id', '=', self.farm.id)])
            self.assertEqual(records.company_id, south, model)
            self.assertEqual(records.search_count([('farm_id', '=', self.farm.id), ('company_id', '!=', south.id)]), 0)
