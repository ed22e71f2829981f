# The device registry: places, gateways, animals, calibration, refusal, configuration.
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import convert_file, mute_logger

from .common import SOURCE, BridgeCase, milking, run_migration


@tagged('-at_install', 'post_install')
class TestDeviceRegistry(BridgeCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, 'registry_manager', 'smart_dairy_farm.group_farm_manager')
        cls.collar = cls.env['iot.device'].create({
            'name': 'Collar 1', 'device_uid': 'c1', 'device_type': 'collar', 'farm_id': cls.farm.id})
        cls.other_farm = cls.env['farm.farm'].create({'name': 'Hill', 'code': 'hill'})

    def heard(self, revision=1, uid='x1', **values):
        return self.status({
            'source': SOURCE, 'source_id': f'barn/{uid}', 'revision': revision, 'farm': 'barn', 'device_uid': uid,
            'state': 'discovered', **values}, model='Device')

    def device(self, uid='x1'):
        return self.env['iot.device'].search([('farm_id', '=', self.farm.id), ('device_uid', '=', uid)])

    # -- refusal -----------------------------------------------------------------------------------

    def test_a_refused_device_stays_refused(self):
        self.heard(name='Neighbour', device_type='collar')
        found = self.device().with_user(self.manager)
        found.action_refuse()
        self.assertEqual(self.heard(2, firmware_version='9'), ['updated'])
        self.upsert(milking(device_uid='x1'))
        self.assertEqual((found.state, found.firmware_version), ('refused', '9'))
        found.action_register()
        self.assertEqual(found.state, 'registered')
        with self.assertRaises(UserError):
            found.action_refuse()

    def test_what_was_never_accepted_cannot_be_retired(self):
        self.heard()
        with self.assertRaises(UserError):
            self.device().action_retire()

    def test_farm_staff_cannot_accept(self):
        self.heard(device_type='collar')
        with self.assertRaises(UserError):
            self.device().with_user(self.staff).action_register()

    def test_what_devices_report_of_themselves(self):
        self.heard(battery_level=0, rssi=-97.5, message_count=12, mac_address='AA:BB', ip_address='10.0.0.7')
        found = self.device()
        self.assertEqual((found.battery_level, found.rssi, found.message_count, found.mac_address, found.ip_address),
                         (0, -97.5, 12, 'AA:BB', '10.0.0.7'))
        self.assertTrue(found.battery_low)
        self.assertFalse(self.collar.battery_low, 'not reported is not empty')
        both = found | self.collar
        for low, expected in ((True, found), (False, self.collar)):
            self.assertEqual(both.search([('id', 'in', both.ids), ('battery_low', '=', low)]), expected)

    # -- places ------------------------------------------------------------------------------------

    def test_places_and_gateways_are_on_the_farm_of_the_device(self):
        shed, elsewhere = self.env['iot.location'].create([
            {'name': 'Shed', 'farm_id': farm.id} for farm in (self.farm, self.other_farm)])
        zone = self.env['iot.location'].create({'name': 'North', 'farm_id': self.farm.id, 'parent_id': shed.id})
        self.assertEqual(zone.complete_name, 'Shed / North')
        shed.name = 'Big Shed'
        self.assertEqual(zone.complete_name, 'Big Shed / North')
        self.collar.location_id = zone
        self.assertEqual(self.env['iot.device'].search([('location_id', 'child_of', shed.ids)]), self.collar)
        gateway = self.env['iot.device'].create({
            'name': 'Roof', 'device_uid': 'g1', 'device_type': 'gateway', 'farm_id': self.farm.id})
        self.collar.gateway_id = gateway
        self.assertEqual(gateway.child_count, 1)
        for values in ({'location_id': elsewhere.id}, {'pen_id': self.env['farm.pen'].create(
                {'name': 'P', 'farm_id': self.other_farm.id}).id}):
            with self.subTest(values=values), self.assertRaisesRegex(ValidationError, 'is not on farm'):
                self.collar.write(values)
        with self.assertRaisesRegex(ValidationError, 'behind itself'):
            gateway.gateway_id = self.collar
        with self.assertRaisesRegex(UserError, 'Recursion'), self.env.cr.savepoint():
            shed.parent_id = zone
        with self.assertRaises(ValidationError):
            zone.farm_id = self.other_farm

    def test_configuration_is_a_json_object(self):
        self.collar.config_json = '{"interval_s": 60}'
        for text in ('{"interval_s": }', '[1]'):
            with self.subTest(text=text), self.assertRaises(ValidationError):
                self.collar.config_json = text

    # -- animals -----------------------------------------------------------------------------------

    def assign(self, animal, start, end=None):
        return self.env['iot.device.assignment'].create({
            'device_id': self.collar.id, 'animal_id': animal.id, 'valid_from': start, 'valid_to': end})

    def test_one_animal_at_a_time(self):
        self.assign(self.cow, '2026-01-01 00:00:00', '2026-02-01 00:00:00')
        self.assign(self.other_cow, '2026-02-01 00:00:00')
        self.assertEqual(self.collar.animal_id, self.other_cow)
        self.assertEqual(self.env['iot.device'].search([('animal_id', '=', self.other_cow.id)]), self.collar)
        self.assertFalse(self.env['iot.device'].search([('animal_id', '=', self.cow.id)]))
        for start, end in (('2026-01-15 00:00:00', '2026-01-16 00:00:00'), ('2025-12-01 00:00:00', None),
                           ('2026-03-01 00:00:00', None)):
            with self.subTest(start=start), self.assertRaises(IntegrityError), mute_logger('odoo.sql_db'), \
                    self.env.cr.savepoint():
                self.assign(self.cow, start, end)
        with self.assertRaises(IntegrityError), mute_logger('odoo.sql_db'), self.env.cr.savepoint():
            self.assign(self.cow, '2025-01-02 00:00:00', '2025-01-01 00:00:00')

    def test_the_refusal_of_an_overlap_is_a_sentence(self):
        self.assign(self.cow, '2026-01-01 00:00:00')
        with self.assertRaises(IntegrityError) as raised, mute_logger('odoo.sql_db'), self.env.cr.savepoint():
            self.assign(self.other_cow, '2026-03-01 00:00:00')
        message = self.env['iot.device.assignment']._sql_error_to_message(raised.exception)
        self.assertIn('End that assignment first', message)

    def test_taking_off_and_retiring_end_the_assignment(self):
        first = self.assign(self.cow, fields.Datetime.now() - timedelta(days=1))
        self.collar.with_user(self.staff).action_take_off()
        self.assertFalse(first.is_current or self.collar.animal_id)
        self.assertTrue(first.valid_to)
        self.assign(self.cow, fields.Datetime.now())
        self.collar.action_retire()
        self.assertFalse(self.collar.animal_id)

    def test_device_and_animal_are_of_one_company(self):
        self.other_farm.company_id = self.env['res.company'].create({'name': 'Hill Ltd'})
        stranger = self.env['farm.animal'].create({'name': 'Stranger', 'farm_id': self.other_farm.id})
        with self.assertRaisesRegex(ValidationError, 'different companies'):
            self.assign(stranger, '2026-01-01 00:00:00')

    # -- calibration -------------------------------------------------------------------------------

    def test_calibration_dates_and_states(self):
        today = fields.Date.context_today(self.collar)
        self.assertFalse(self.collar.calibration_state)
        self.collar.calibration_interval = 30
        self.assertEqual(self.collar.calibration_state, 'overdue', 'never calibrated')
        expected = {1: 'valid', 23: 'due', 30: 'due', 31: 'overdue'}
        for days, state in expected.items():
            with self.subTest(days=days):
                self.collar.calibration_ids.unlink()
                form = Form(self.env['iot.device.calibration'].with_user(self.manager))
                form.device_id = self.collar
                form.date = today - timedelta(days=days)
                self.assertEqual(form.valid_until, form.date + timedelta(days=30))
                form.save()
                self.assertEqual(self.collar.calibration_state, state)
                self.assertEqual(self.env['iot.device'].search(
                    [('id', '=', self.collar.id), ('calibration_state', '=', state)]), self.collar)
        self.env['iot.device.calibration'].create({'device_id': self.collar.id, 'date': today, 'result': 'fail'})
        self.assertEqual(self.collar.calibration_state, 'overdue', 'a failed calibration does not count')

    def test_deviation(self):
        calibration = self.env['iot.device.calibration'].create({
            'device_id': self.collar.id, 'reference_value': 10, 'value_before': 10.2})
        self.assertAlmostEqual(calibration.deviation, 2)
        calibration.value_before = 0
        self.assertAlmostEqual(calibration.deviation, -100)
        calibration.value_before = False
        self.assertIs(calibration.deviation, False)

    def test_one_reminder_for_each_device(self):
        self.farm.manager_id = self.manager
        self.collar.write({'calibration_interval': 30, 'device_type': 'collar'})
        Device = self.env['iot.device']
        Device._cron_remind_of_calibration()
        self.assertFalse(self.collar.activity_ids, 'a draft is not in use')
        self.collar.action_register()
        for _again in range(2):
            Device._cron_remind_of_calibration()
            self.assertEqual(self.collar.activity_ids.mapped('user_id'), self.manager)
            self.assertEqual(len(self.collar.activity_ids), 1)

    # -- limits ------------------------------------------------------------------------------------

    def test_limits(self):
        Limit = self.env['iot.threshold'].with_user(self.manager)
        limit = Limit.create({'farm_id': self.farm.id, 'metric': 'milk_temperature', 'low': 0, 'high': 4})
        self.assertEqual((limit.unit, limit.display_name), ('°C', 'Milk Temperature 0 – 4 °C'))
        limit.low = False
        self.env.invalidate_all()
        self.assertEqual((limit.low, limit.high), (False, 4))
        for values in ({'high': False}, {'low': 9}, {'device_id': self.env['iot.device'].create(
                {'name': 'h', 'device_uid': 'h', 'farm_id': self.other_farm.id}).id}):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                limit.write(values)

    def test_a_limit_without_effect_is_refused(self):
        Limit = self.env['iot.threshold'].with_user(self.manager)
        for values, reason in (
            ({'metric': 'temperature', 'high': 4}, 'A limit on Temperature would have no effect yet.*Milk Yield'),
            ({'metric': 'anything', 'high': 4}, 'A limit on Anything would have no effect yet'),
            ({'metric': 'milk_scc', 'high': 4, 'device_type': 'temperature'}, 'measured by milk meters, and not by Temperature Sensor'),
            ({'metric': 'milk_scc', 'high': 4, 'device_id': self.collar.id}, 'and not by Collar 1'),
            ({'metric': 'milk_yield_deviation', 'low': 4}, 'A lower limit on Deviation from the Expected Yield would have no effect'),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(ValidationError, reason):
                Limit.create({'farm_id': self.farm.id, **values})
        limit = Limit.create({'farm_id': self.farm.id, 'metric': 'milk_scc', 'high': 1_250_000, 'device_type': 'milk_meter'})
        self.assertEqual(limit.display_name, 'Somatic Cell Count … – 1250000 /ml')
        with self.assertRaisesRegex(ValidationError, 'no effect yet'):
            limit.metric = 'temperature'
        offered = dict(Limit.fields_get(['metric'])['metric']['selection'])
        self.assertEqual(offered['milk_scc'], 'Somatic Cell Count')
        self.assertNotIn('temperature', offered)

    def test_the_migration_archives_limits_without_effect(self):
        good = self.env['iot.threshold'].create({'farm_id': self.farm.id, 'metric': 'milk_scc', 'high': 1})
        self.env.flush_all()
        self.cr.execute(
            """INSERT INTO iot_threshold (farm_id, company_id, metric, high, severity, active)
               VALUES (%s, %s, 'temperature', 4, 'high', true) RETURNING id""", [self.farm.id, self.farm.company_id.id])
        bad = self.env['iot.threshold'].browse(self.cr.fetchone())
        run_migration(self.env, '19.0.3.3.0')
        self.assertEqual((good.active, bad.active), (True, False))
        self.assertIn('no effect yet', bad.message_ids[0].body)

    def test_the_demo_data_loads(self):
        # Odoo goes on without it when it does not, and says so in a line of its log.
        for module, filename in (('farm', 'farm_demo'), ('farm', 'farm_animal_demo'), ('iot', 'iot_device_demo')):
            convert_file(self.env, f'smart_dairy_{module}', f'demo/{filename}.xml', {}, mode='init', noupdate=True)
        self.assertEqual(self.env.ref('smart_dairy_iot.device_flow').state, 'refused')

    def test_a_duplicate_limit_waits(self):
        limit = self.env['iot.threshold'].create({'farm_id': self.farm.id, 'metric': 'milk_scc', 'high': 4}).with_user(self.manager)
        self.assertEqual((limit.copy().active, limit.active), (False, True))

    # -- animals that leave, duplicates, notes -------------------------------------------------------

    def test_an_animal_that_leaves_lets_go_of_its_collar(self):
        for values in ({'state': 'sold'}, {'state': 'dead'}, {'active': False}):
            with self.subTest(values=values):
                cow = self.env['farm.animal'].create({'name': 'Gone', 'farm_id': self.farm.id}).with_user(self.staff)
                row = self.env['iot.device.assignment'].create({
                    'device_id': self.collar.id, 'animal_id': cow.id, 'valid_from': fields.Datetime.now() - timedelta(hours=1)})
                cow.write(values)
                self.assertTrue(row.valid_to)
                self.assertFalse(self.collar.animal_id)
                row.write({'valid_from': '2026-01-01 00:00:00', 'valid_to': '2026-01-02 00:00:00'})
                row.unlink()

    def test_a_collar_that_was_put_on_this_very_second_goes_too(self):
        now = fields.Datetime.now()
        planned = self.assign(self.cow, now + timedelta(days=1), now + timedelta(days=2))
        self.assign(self.cow, now + timedelta(days=3))
        row = self.assign(self.other_cow, now, now + timedelta(hours=1))
        (self.cow | self.other_cow).with_user(self.staff).state = 'sold'
        self.assertFalse(planned.exists())
        self.assertFalse(self.env['iot.device.assignment'].search([
            ('device_id', '=', self.collar.id), '|', ('valid_to', '=', False), ('valid_to', '>', fields.Datetime.now())]))
        self.assertTrue(not row.exists() or row.valid_to)

    def test_a_device_and_its_places_are_duplicated(self):
        self.collar.write({'config_json': '{"interval_s": 60}', 'serial_number': 'S1', 'state': 'active'})
        mine = self.collar.with_user(self.manager)
        copies = mine.copy() | mine.copy()
        self.assertEqual(copies.mapped('device_uid'), ['c1_copy', 'c1_copy2'])
        self.assertEqual(copies.mapped('name'), ['Collar 1 (copy)', 'Collar 1 (copy 2)'])
        self.assertEqual(set(copies.mapped('state')), {'draft'})
        self.assertEqual((copies[0].config_json, copies[0].serial_number), ('{"interval_s": 60}', False))
        self.assertEqual(mine.copy({'farm_id': self.other_farm.id}).device_uid, 'c1_copy', 'of another farm')
        place = self.env['iot.location'].create({'name': 'Shed', 'farm_id': self.farm.id})
        group = self.env['iot.device.tag'].create({'name': 'Left row'})
        for record in (place, group):
            names = [record.with_user(self.manager).copy().name for _twice in range(2)]
            self.assertEqual(names, [f'{record.name} (copy)', f'{record.name} (copy 2)'])

    def test_whoever_sees_a_device_may_leave_a_note(self):
        limit = self.env['iot.threshold'].create({'farm_id': self.farm.id, 'metric': 'milk_scc', 'high': 4})
        calibration = self.env['iot.device.calibration'].create({'device_id': self.collar.id})
        for group in ('smart_dairy_farm.group_farm_user', 'smart_dairy_farm.group_veterinarian',
                      'smart_dairy_farm.group_farm_manager', 'smart_dairy_iot.group_iot_admin'):
            user = new_test_user(self.env, group, group)
            for record in (self.collar, limit, calibration):
                with self.subTest(group=group, model=record._name):
                    message = record.with_user(user).message_post(body='Hangs loose', subtype_xmlid='mail.mt_note')
                    self.assertEqual((message.author_id, message.res_id), (user.partner_id, record.id))
            self.assertIn('Hangs loose', self.collar.with_user(user).message_ids[0].body)

    def test_a_certificate_stays_as_it_was_given(self):
        self.collar.calibration_interval = 30
        first = self.env['iot.device.calibration'].create({'device_id': self.collar.id, 'date': '2026-01-01'})
        second = self.env['iot.device.calibration'].create({'device_id': self.collar.id, 'date': '2026-03-01'})
        self.collar.calibration_interval = 365
        self.env.flush_all()
        self.assertEqual((str(first.valid_until), str(second.valid_until)), ('2026-01-31', '2026-03-31'))
        self.assertEqual(str(self.collar.next_calibration_date), '2026-03-31')
        third = self.env['iot.device.calibration'].create({'device_id': self.collar.id, 'date': '2026-04-01'})
        self.assertEqual(str(third.valid_until), '2027-04-01')

    def test_a_calibration_without_an_end_is_due_by_the_interval_that_comes_later(self):
        self.env['iot.device.calibration'].create({'device_id': self.collar.id, 'date': '2026-01-01'})
        self.assertFalse(self.collar.next_calibration_date)
        self.collar.calibration_interval = 30
        self.assertEqual(str(self.collar.next_calibration_date), '2026-01-31')
