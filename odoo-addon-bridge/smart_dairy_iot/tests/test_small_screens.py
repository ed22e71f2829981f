# On a phone every list is cards, which fit; the web client takes the kanban view of an action where there is one.
from odoo.tests import TransactionCase, tagged


@tagged('-at_install', 'post_install')
class TestSmallScreens(TransactionCase):

    def actions(self):
        menus = self.env['ir.ui.menu'].search([])
        own = {data.res_id for data in self.env['ir.model.data'].search([
            ('model', '=', 'ir.ui.menu'), ('module', 'in', ('smart_dairy_farm', 'smart_dairy_iot'))])}
        for menu in menus:
            if menu.id in own and menu.action and menu.action._name == 'ir.actions.act_window':
                yield menu.action

    def test_every_list_has_cards(self):
        found = list(self.actions())
        self.assertGreater(len(found), 15)
        for action in found:
            modes = [mode for _id, mode in action.views]
            with self.subTest(action=action.name, modes=modes):
                if 'list' in modes:
                    self.assertIn('kanban', modes)
                    # A report stays a report.
                    first = modes[0] if modes[0] in ('graph', 'pivot') else 'kanban'
                    self.assertEqual(action.mobile_view_mode, first)

    def test_every_stall_is_open_in_the_parlour(self):
        farm = self.env['farm.farm'].create({'name': 'Long Parlour', 'code': 'long_parlour'})
        self.env['iot.milk.session'].create([
            {'farm_id': farm.id, 'stall': str(n), 'start_datetime': '2026-05-01 04:00:00'} for n in range(24)])
        action = self.env.ref('smart_dairy_iot.iot_milk_session_action_parlour')
        context = {'max_number_opened_groups': 100}
        self.assertIn("'max_number_opened_groups': 100", action.context)
        for open_stalls, more in ((10, {}), (24, context)):
            answer = self.env['iot.milk.session'].with_context(**more).web_read_group(
                [('farm_id', '=', farm.id)], ['stall'], auto_unfold=True, unfold_read_specification={'stall': {}})
            self.assertEqual(sum('__records' in group for group in answer['groups']), open_stalls)
