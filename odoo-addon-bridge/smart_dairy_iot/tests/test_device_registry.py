# The device registry: places, gateways, animals, calibration, refusal, configuration.
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import SOURCE, RegistryCase, milking


@tagged('-at_install', 'post_install')
class TestDeviceRegistry(RegistryCase):

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
