# What the tanker took against what the meters said: a drift proposes a calibration, one bad day does not.
from datetime import datetime, timedelta

from odoo.exceptions import ValidationError
from odoo.tests import BaseCase, tagged

from ..tools.drift import is_drift, suspects
from .common import BridgeCase, milking


class TestDrift(BaseCase):

    def test_a_drift_is_several_in_a_row_to_one_side(self):
        for deviations, expected in (
            ([5, 4, 6], True), ([-5, -4, -6], True), ([0, 5, 4, 6], True), ([5, 4], False), ([5, -4, 6], False), ([5, 2, 6], False),
            ([None, 5, 6], False), ([], False), ([5, 5, 5, 0], False),
        ):
            with self.subTest(deviations=deviations):
                self.assertEqual(is_drift(deviations), expected)

    def test_the_meter_that_stands_out(self):
        self.assertEqual(suspects({'a': (1.0, 50), 'b': (1.01, 50), 'c': (1.12, 50)}), ['c'])
        self.assertEqual(suspects({'a': (1.0, 50), 'b': (1.01, 50), 'c': (1.12, 3)}), ['a', 'b', 'c'], 'three milkings say little')
        self.assertEqual(suspects({'a': (1.05, 50), 'b': (1.05, 50), 'c': (1.05, 50)}), ['a', 'b', 'c'], 'all of them, or none')


@tagged('-at_install', 'post_install')
class TestMilkCollection(BridgeCase):

    day = datetime(2026, 5, 1)

    def milk(self, day, shown):
        """A day of eight milkings at each of three meters, of animals that give 10 kg."""
        self.upsert(*[
            milking(f'{meter}/{day}/{n}', device_uid=meter, stall=meter, rfid_tag=None, yield_kg=kg, expected_yield_kg=10,
                    start_datetime=str(self.day + timedelta(days=day, hours=4, minutes=10 * n)), end_datetime=None)
            for meter, kg in shown.items() for n in range(8)])
        self.env['iot.device'].search([('farm_id', '=', self.farm.id)]).write({'state': 'active'})

    def collect(self, day, kg):
        return self.env['farm.milk.collection'].with_user(self.staff).create({
            'farm_id': self.farm.id, 'collected_at': self.day + timedelta(days=day, hours=23), 'collected_kg': kg})

    def planned(self):
        return self.env['mail.activity'].search([('res_model', '=', 'iot.device')]).filtered(
            lambda activity: self.env['iot.device'].browse(activity.res_id).farm_id == self.farm)

    def test_the_sum_of_the_meters_since_the_last_one(self):
        first = self.collect(0, 200)
        self.assertEqual((first.metered_kg, first.deviation), (False, False))
        self.milk(1, {'m1': 10, 'm2': 10, 'm3': 10})
        second = self.collect(1, 250)
        self.assertEqual((second.metered_kg, second.deviation), (240, -4))
        # A milking that comes late counts all the same.
        self.milk(1, {'m4': 1.25})
        self.env.invalidate_all()
        self.assertEqual((second.metered_kg, second.deviation), (250, 0))
        with self.assertRaisesRegex(ValidationError, 'future'):
            self.collect(40000, 1)

    def test_a_drift_proposes_to_calibrate_the_meter_that_stands_out(self):
        self.collect(0, 240)
        for day in (1, 2, 3, 4):
            self.milk(day, {'m1': 10, 'm2': 10, 'm3': 11.5})
            self.collect(day, 240)
            if day < 3:
                self.assertFalse(self.planned(), 'two days are no drift')
        [activity] = self.planned()
        self.assertEqual(self.env['iot.device'].browse(activity.res_id).device_uid, 'm3')
        self.assertEqual(activity.activity_type_id, self.env.ref('smart_dairy_iot.mail_activity_type_calibration'))
        self.assertIn('+5.0', activity.note)

    def test_a_corrected_slip_can_show_a_drift(self):
        self.collect(0, 240)
        for day, kg in ((1, 240), (2, 240), (3, 252)):
            self.milk(day, {'m1': 10, 'm2': 10, 'm3': 11.5})
            last = self.collect(day, kg)
        self.assertFalse(self.planned())
        last.collected_kg = 240
        self.assertEqual(len(self.planned()), 1)

    def test_a_corrected_slip_is_no_drift(self):
        self.collect(0, 240)
        for day, kg in ((1, 240), (2, 252), (3, 240)):
            self.milk(day, {'m1': 10, 'm2': 10, 'm3': 11.5})
            last = self.collect(day, kg)
        self.assertFalse(self.planned())
        last.collected_kg = 241
        self.assertFalse(self.planned())
