# Farms and pens: how many animals they hold, and the way from them to the animals.
from odoo.tests import TransactionCase, tagged


@tagged('-at_install', 'post_install')
class TestFarm(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'Test Farm', 'code': 'test_farm', 'state': 'discovered'})
        cls.pen, cls.empty = cls.env['farm.pen'].create([
            {'name': 'A', 'farm_id': cls.farm.id, 'capacity': 4},
            {'name': 'B', 'farm_id': cls.farm.id},
        ])
        values = {'name': 'Cow', 'farm_id': cls.farm.id, 'pen_id': cls.pen.id}
        cls.animals = cls.env['farm.animal'].create([
            {**values, 'state': 'lactating'}, {**values, 'state': 'dry'}, {**values, 'state': 'sold'}])

    def found(self, action):
        return self.env[action['res_model']].search(action['domain'])

    def test_a_pen_counts_who_is_in_the_herd(self):
        self.assertEqual((self.pen.animal_count, self.pen.occupancy), (2, 50))
        self.assertEqual((self.empty.animal_count, self.empty.occupancy), (0, 0))

    def test_a_farm_counts_its_herd_and_its_pens(self):
        self.assertEqual((self.farm.animal_count, self.farm.lactating_count, self.farm.pen_count), (2, 1, 2))

    def test_the_buttons_show_what_they_count(self):
        self.assertEqual(self.found(self.pen.action_view_animals()), self.animals)
        self.assertEqual(self.found(self.farm.action_view_animals()), self.animals)
        self.assertEqual(self.found(self.farm.action_view_pens()), self.pen | self.empty)

    def test_a_new_animal_made_from_a_pen_stands_in_it(self):
        context = self.pen.action_view_animals()['context']
        animal = self.env['farm.animal'].with_context(**context).create({'name': 'New'})
        self.assertEqual((animal.pen_id, animal.farm_id), (self.pen, self.farm))

    def test_a_pen_says_its_farm_where_several_are_meant(self):
        self.assertEqual(self.pen.display_name, 'A')
        self.assertEqual(self.pen.with_context(show_farm=True).display_name, 'test_farm / A')

    def test_a_discovered_farm_is_accepted_and_closed(self):
        self.farm.action_confirm()
        self.assertEqual(self.farm.state, 'active')
        self.farm.action_close()
        self.assertEqual(self.farm.state, 'closed')
