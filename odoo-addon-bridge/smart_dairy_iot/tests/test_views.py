# Every screen of the addon opens for farm staff and for managers, and its filters and groups run.
from odoo.fields import Domain
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval
from lxml import etree

MODELS = ('iot.device', 'iot.milk.session', 'iot.alert', 'iot.location', 'iot.device.tag', 'iot.device.assignment',
          'iot.device.calibration', 'iot.device.command', 'farm.feeding.order', 'farm.milk.collection', 'iot.threshold', 'farm.animal', 'farm.farm')


@tagged('-at_install', 'post_install')
class TestViews(TransactionCase):

    def test_every_action_opens(self):
        actions = self.env['ir.actions.act_window'].search([('res_model', 'in', MODELS)])
        self.assertGreaterEqual(len(actions), 12)
        for groups in ('smart_dairy_farm.group_farm_user', 'smart_dairy_farm.group_farm_manager',
                       'smart_dairy_iot.group_iot_admin'):
            user = new_test_user(self.env, groups.split('.')[1], groups)
            for action in actions:
                with self.subTest(action=action.name, groups=groups):
                    views = [*action.views, (action.search_view_id.id, 'search')]
                    answer = self.env[action.res_model].with_user(user).get_views(views)
                    self.assertEqual(set(answer['views']), {mode for _id, mode in views})

    def test_filters_and_groups_run(self):
        user = new_test_user(self.env, 'searcher', 'smart_dairy_farm.group_farm_user', tz='Asia/Dhaka')
        for model in MODELS:
            Model = self.env[model].with_user(user)
            arch = etree.fromstring(Model.get_view(view_type='search')['arch'])
            for node in arch.iter('filter'):
                with self.subTest(model=model, filter=node.get('name')):
                    if node.get('domain'):
                        Model.search_count(Domain(safe_eval(node.get('domain'), {'uid': user.id})))
                    if node.get('context'):
                        Model.formatted_read_group([], [safe_eval(node.get('context'))['group_by']], ['__count'])

    def test_unidentified_menu_uses_the_list_in_which_the_animal_is_chosen(self):
        action = self.env.ref('smart_dairy_iot.iot_milk_session_action_unidentified')
        self.assertEqual(dict((mode, vid) for vid, mode in action.views)['list'],
                         self.env.ref('smart_dairy_iot.iot_milk_session_view_list_unidentified').id)
