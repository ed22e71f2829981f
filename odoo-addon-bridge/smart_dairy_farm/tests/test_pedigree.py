# What cannot be in a pedigree is refused where it is entered: by form, by import, by RPC.
from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged('-at_install', 'post_install')
class TestPedigree(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'Line', 'code': 'line'})
        user = new_test_user(cls.env, 'breeder', 'smart_dairy_farm.group_farm_user')
        cls.Animal = cls.env['farm.animal'].with_user(user)

    def animal(self, name, born=False, sex='female', **values):
        return self.Animal.create({'name': name, 'farm_id': self.farm.id, 'birth_date': born, 'sex': sex, **values})

    def refused(self, record, reason, **values):
        with self.assertRaisesRegex(ValidationError, reason), self.env.cr.savepoint():
            record.write(values)

    def test_an_animal_is_not_its_own_parent(self):
        cow = self.animal('Bella')
        self.refused(cow, 'Bella would be its own ancestor', dam_id=cow.id)
        bull = self.animal('Max', sex='male')
        self.refused(bull, 'Max would be its own ancestor', sire_id=bull.id)

    def test_loops_through_dams_and_sires(self):
        granddam = self.animal('Granddam')
        sire = self.animal('Sire', sex='male', dam_id=granddam.id)
        calf = self.animal('Calf', sire_id=sire.id)
        self.refused(granddam, 'own ancestor', dam_id=calf.id)
        # Also through an animal that is archived.
        sire.sudo().active = False
        self.refused(granddam, 'own ancestor', dam_id=calf.id)

    def test_parents_are_of_their_sex(self):
        cow, bull = self.animal('Bella'), self.animal('Max', sex='male')
        with self.assertRaisesRegex(ValidationError, 'Max is male, and so not the dam of Calf'):
            self.animal('Calf', dam_id=bull.id)
        calf = self.animal('Calf', dam_id=cow.id, sire_id=bull.id)
        self.refused(calf, 'Bella is female', sire_id=cow.id)
        self.refused(cow, 'Bella is male, and so not the dam of Calf', sex='male')

    def test_a_parent_was_grown_up(self):
        cow = self.animal('Bella', date(2020, 1, 1))
        for born, reason in ((date(2019, 6, 1), 'too young'), (date(2020, 1, 1), 'too young'), (date(2021, 3, 25), 'too young')):
            with self.subTest(born=born), self.assertRaisesRegex(ValidationError, reason):
                self.animal('Calf', born, dam_id=cow.id)
        calf = self.animal('Calf', date(2021, 3, 26), dam_id=cow.id)
        # It is the same question from the other side.
        self.refused(cow, 'Bella, born on 2020-01-02, was too young to be a parent of Calf', birth_date=date(2020, 1, 2))
        self.refused(calf, 'too young', birth_date=date(2021, 1, 1))
        bull = self.animal('Max', date(2020, 6, 1), sex='male')
        self.refused(calf, 'Max, born on 2020-06-01, was too young', sire_id=bull.id)
        self.assertTrue(self.animal('Unknown', dam_id=cow.id), 'without a date nothing is said')

    def test_calving_dates_that_cannot_be(self):
        today = fields.Date.context_today(self.Animal)
        cow = self.animal('Bella', today - timedelta(days=1000))
        self.refused(cow, 'cannot have calved in the future', last_calving_date=today + timedelta(days=1))
        self.refused(cow, 'too young to calve', last_calving_date=cow.birth_date + timedelta(days=449))
        cow.last_calving_date = today
        with self.assertRaisesRegex(ValidationError, 'too young to calve'):
            self.animal('Heifer', today - timedelta(days=100), state='heifer').action_calved()
