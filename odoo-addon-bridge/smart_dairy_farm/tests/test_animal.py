# Rules of the herd register: identification, lactation, farm codes.
from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file, mute_logger


@tagged('-at_install', 'post_install')
class TestAnimal(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'Test Farm', 'code': 'test_farm'})
        cls.Animal = cls.env['farm.animal']

    def animal(self, **values):
        return self.Animal.create({'name': 'Cow', 'farm_id': self.farm.id, **values})

    def test_rfid_is_15_digits(self):
        for tag in ('05000000000000', '0500000000000011', '05000000000000A', '٠٥٠٠٠٠٠٠٠٠٠٠٠٠١'):
            with self.subTest(tag=tag), self.assertRaisesRegex(ValidationError, 'exactly 15 digits'):
                self.animal(rfid_tag=tag)

    def test_a_spreadsheet_makes_no_valid_tag_of_an_invalid_one(self):
        for tag, reason in (
            ('50000000000007.0', 'decimals'), ('50000000000007,0', 'decimals'), (50000000000007.0, 'decimals'),
            ('5.0000000000007E+13', 'scientific'), ('9,82E14', 'scientific'), ('50000000000007', 'leading zeros'),
            (50000000000007, 'leading zeros'), ('050000000000.007', 'decimals'), ('050.0000000.00007', 'exactly 15 digits'),
        ):
            with self.subTest(tag=tag), self.assertRaisesRegex(ValidationError, reason) as caught:
                self.animal(rfid_tag=tag)
            self.assertIn(str(tag), str(caught.exception), 'the message names the value')
        self.assertEqual(self.animal(rfid_tag=982000001088420).rfid_tag, '982000001088420')

    def test_the_import_of_a_spreadsheet_refuses_what_it_mangled(self):
        rows = [['lost zero and float suffix', self.farm.display_name, '50000000000007.0']]
        answer = self.Animal.load(['name', 'farm_id', 'rfid_tag'], rows)
        self.assertFalse(answer['ids'])
        self.assertIn('50000000000007.0', answer['messages'][0]['message'])

    def test_rfid_country_and_national_id(self):
        with self.assertRaisesRegex(ValidationError, '000 is not a country'):
            self.animal(rfid_tag='000000000000001')
        with self.assertRaisesRegex(ValidationError, '274877906943'):
            self.animal(rfid_tag='050274877906944')
        self.assertEqual(self.animal(rfid_tag='050274877906943').rfid_tag, '050274877906943')
        self.assertEqual(self.animal(rfid_tag='999012345678901').rfid_tag, '999012345678901')

    def test_rfid_is_cleaned_before_it_is_checked(self):
        self.assertEqual(self.animal(rfid_tag=' 982 000001-088420 ').rfid_tag, '982000001088420')
        cow = self.animal(rfid_tag='')
        self.assertFalse(cow.rfid_tag)
        cow.rfid_tag = '050.000.000.009.999'
        self.assertEqual(cow.rfid_tag, '050000000009999')

    def test_rfid_is_unique_in_the_company_only(self):
        self.animal(rfid_tag='050000000009999')
        with mute_logger('odoo.sql_db'), self.assertRaises(psycopg2.errors.ExclusionViolation), self.cr.savepoint():
            self.animal(rfid_tag='050 000000009999')
        other = self.env['farm.farm'].create({
            'name': 'Elsewhere', 'code': 'elsewhere', 'company_id': self.env['res.company'].create({'name': 'B'}).id})
        self.assertTrue(self.Animal.create({'name': 'Twin', 'farm_id': other.id, 'rfid_tag': '050000000009999'}))

    def test_animals_without_tags_do_not_collide(self):
        self.animal(rfid_tag='', ear_tag=' ')
        self.assertTrue(self.animal(rfid_tag=False, ear_tag=''))

    def test_ear_tag_is_unique_on_the_farm_only(self):
        self.animal(ear_tag='12')
        with mute_logger('odoo.sql_db'), self.assertRaises(psycopg2.errors.UniqueViolation), self.cr.savepoint():
            self.animal(ear_tag='12')
        second = self.env['farm.farm'].create({'name': 'Second', 'code': 'second'})
        self.assertTrue(self.Animal.create({'name': 'Other', 'farm_id': second.id, 'ear_tag': '12'}))

    def test_days_in_milk_and_its_search(self):
        today = fields.Date.context_today(self.farm)
        fresh = self.animal(last_calving_date=today - timedelta(days=20))
        late = self.animal(last_calving_date=today - timedelta(days=310))
        dry = self.animal(last_calving_date=today - timedelta(days=20), state='dry')
        self.assertEqual([fresh.days_in_milk, late.days_in_milk, dry.days_in_milk], [20, 310, 0])
        mine = [('farm_id', '=', self.farm.id)]
        self.assertEqual(self.Animal.search([*mine, ('days_in_milk', '<=', 20)]), fresh)
        self.assertEqual(self.Animal.search([*mine, ('days_in_milk', '<', 20)]), self.Animal)
        self.assertEqual(self.Animal.search([*mine, ('days_in_milk', '>', 305)]), late)

    def test_in_herd_search(self):
        here, gone = self.animal(), self.animal(state='sold')
        mine = [('farm_id', '=', self.farm.id)]
        self.assertEqual(self.Animal.search([*mine, ('in_herd', '=', True)]), here)
        self.assertEqual(self.Animal.search([*mine, ('in_herd', '=', False)]), gone)
        self.assertEqual(self.Animal.search([*mine, ('in_herd', '!=', True)]), gone)
        self.assertEqual(self.farm.animal_count, 1)

    def test_calving_begins_a_lactation(self):
        cow = self.animal(state='dry', lactation_number=2)
        cow.action_calved()
        self.assertEqual((cow.state, cow.lactation_number, cow.days_in_milk), ('lactating', 3, 0))
        cow.action_set_dry()
        self.assertEqual(cow.state, 'dry')

    def test_dates_and_pen_must_fit(self):
        today = fields.Date.context_today(self.farm)
        with self.assertRaisesRegex(ValidationError, 'future'):
            self.animal(birth_date=today + timedelta(days=1))
        with self.assertRaisesRegex(ValidationError, 'own birth'):
            self.animal(birth_date=today, last_calving_date=today - timedelta(days=1))
        other = self.env['farm.farm'].create({'name': 'Other', 'code': 'other_farm'})
        pen = self.env['farm.pen'].create({'name': 'Shed', 'farm_id': other.id})
        with self.assertRaisesRegex(ValidationError, 'is not on farm'):
            self.animal(pen_id=pen.id)

    def test_farm_code_fits_into_a_topic(self):
        for code in ('farm/1', 'farm 1', '+', '#', '-farm', 'ü', 'f' * 65):
            with self.subTest(code=code), self.assertRaisesRegex(ValidationError, 'cannot be used'):
                self.env['farm.farm'].create({'name': 'Bad', 'code': code})

    def test_a_farm_takes_its_records_to_another_company(self):
        cow = self.animal()
        company = self.env['res.company'].create({'name': 'New Owner'})
        self.farm.company_id = company
        self.assertEqual(cow.company_id, company)

    def test_demo_data_loads_and_is_what_the_simulator_milks(self):
        for filename in ('demo/farm_demo.xml', 'demo/farm_animal_demo.xml'):
            convert_file(self.env, 'smart_dairy_farm', filename, {}, mode='init', noupdate=True)
        farm = self.env.ref('smart_dairy_farm.farm_green_meadow')
        self.assertEqual((farm.code, farm.name), ('farm1', 'Green Meadow'))
        self.assertEqual(
            sorted(farm.animal_ids.mapped('rfid_tag')), ['050' + str(n).rjust(12, '0') for n in range(1, 25)])
        self.assertEqual(self.env.ref('smart_dairy_farm.farm_river_bend').code, 'farm2')
