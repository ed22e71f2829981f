# Devices in people's hands: taken off who leaves, duplicated, remarked on.
from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import RegistryCase


@tagged('-at_install', 'post_install')
class TestDevicePeople(RegistryCase):

    def assign(self, animal, start, end=None):
        return self.env['iot.device.assignment'].create({
            'device_id': self.collar.id, 'animal_id': animal.id, 'valid_from': start, 'valid_to': end})

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
        order = self.env['farm.feeding.order'].create({
            'farm_id': self.farm.id, 'animal_id': self.cow.id, 'feed': 'Hay', 'amount_kg': 1, 'device_id': self.collar.id})
        for group in ('smart_dairy_farm.group_farm_user', 'smart_dairy_farm.group_veterinarian',
                      'smart_dairy_farm.group_farm_manager', 'smart_dairy_iot.group_iot_admin'):
            user = new_test_user(self.env, group, group)
            for record in (self.collar, limit, calibration, order):
                with self.subTest(group=group, model=record._name):
                    message = record.with_user(user).message_post(body='Hangs loose', subtype_xmlid='mail.mt_note')
                    self.assertEqual((message.author_id, message.res_id), (user.partner_id, record.id))
            self.assertIn('Hangs loose', self.collar.with_user(user).message_ids[0].body)
