# Every screen of the addon opens, for the group with the fewest rights too.
from odoo.tests import Form, TransactionCase, new_test_user, tagged


@tagged('-at_install', 'post_install')
class TestFarmViews(TransactionCase):

    def test_every_action_opens(self):
        actions = self.env['ir.actions.act_window'].search([('res_model', '=like', 'farm.%')])
        self.assertGreaterEqual(len(actions), 4)
        for groups in ('smart_dairy_farm.group_farm_user', 'smart_dairy_farm.group_farm_manager'):
            user = new_test_user(self.env, groups.split('.')[1], groups)
            for action in actions:
                with self.subTest(action=action.name, groups=groups):
                    views = [(False, mode) for mode in [*action.view_mode.split(','), 'search']]
                    answer = self.env[action.res_model].with_user(user).get_views(views)
                    self.assertEqual(len(answer['views']), len(views))

    def test_an_animal_is_entered_in_the_form(self):
        farm = self.env['farm.farm'].create({'name': 'Form Farm', 'code': 'form_farm'})
        pen = self.env['farm.pen'].create({'name': 'Shed', 'farm_id': farm.id})
        user = new_test_user(self.env, 'milker', 'smart_dairy_farm.group_farm_user')
        with Form(self.env['farm.animal'].with_user(user)) as form:
            form.name = 'Rosie'
            form.farm_id = farm
            form.pen_id = pen
            form.rfid_tag = '050 000 000 009 001'
        self.assertEqual(form.record.rfid_tag, '050000000009001')
