# Several devices are accepted at once, each with name, place and animal; what is not ours dominates no list.
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval
from lxml import etree

from .common import BridgeCase
from .test_device_alert import device


@tagged('-at_install', 'post_install')
class TestAccept(BridgeCase):

    def setUp(self):
        super().setUp()
        self.manager = new_test_user(self.env, 'acceptor', 'smart_dairy_farm.group_farm_manager')
        self.place = self.env['iot.location'].create({'name': 'Parlour', 'farm_id': self.farm.id})
        self.upsert(*(
            device(source_id=f'barn/{uid}', device_uid=uid, device_type=kind)
            for uid, kind in (('m1', 'milk_meter'), ('m2', 'milk_meter'), ('c1', 'collar'), ('x', None))), model='Device')
        self.devices = self.env['iot.device'].search([('farm_id', '=', self.farm.id)]).with_user(self.manager)

    def wizard(self, devices):
        action = devices.action_accept()
        return self.env[action['res_model']].with_user(self.manager).browse(action['res_id'])

    def by_uid(self, uid):
        return self.devices.filtered(lambda device: device.device_uid == uid)

    def test_name_place_and_animal_in_one_go(self):
        wizard = self.wizard(self.devices)
        self.assertEqual(len(wizard.line_ids), 4)
        wizard.location_id = self.place
        for line in wizard.line_ids:
            line.name = f'Our {line.device_uid}'
            line.animal_id = line.device_uid == 'c1' and self.cow
            line.stall = '2' if line.device_uid == 'm2' else False
            line.is_wanted = line.device_uid != 'x'
        wizard.action_accept()
        self.assertEqual(
            [(found.name, found.state, found.location_id.name) for found in map(self.by_uid, ('m1', 'm2', 'c1'))],
            [('Our m1', 'registered', 'Parlour'), ('Our m2', 'registered', 'Parlour'), ('Our c1', 'registered', 'Parlour')])
        self.assertEqual((self.by_uid('m2').stall, self.by_uid('c1').animal_id), ('2', self.cow))
        self.assertEqual((self.by_uid('x').state, self.by_uid('x').name), ('discovered', 'x'))

    def test_all_or_none(self):
        wizard = self.wizard(self.devices)
        with self.assertRaisesRegex(UserError, 'type of x'), self.cr.savepoint():
            wizard.action_accept()
        self.assertEqual(set(self.devices.mapped('state')), {'discovered'})
        wizard.line_ids.is_wanted = False
        with self.assertRaisesRegex(UserError, 'Tick'):
            wizard.action_accept()

    def test_the_others_are_refused(self):
        wizard = self.wizard(self.devices)
        for line in wizard.line_ids:
            line.is_wanted = line.device_uid == 'm1'
        wizard.action_refuse_others()
        self.assertEqual(
            [self.by_uid(uid).state for uid in ('m1', 'm2', 'c1', 'x')], ['registered', 'refused', 'refused', 'refused'])

    def test_the_form_takes_what_is_typed(self):
        wizard = self.wizard(self.by_uid('m1'))
        with Form(wizard) as form, form.line_ids.edit(0) as line:
            line.name = 'Left row, first'
            line.location_id = self.place
        wizard.action_accept()
        self.assertEqual((self.by_uid('m1').name, self.by_uid('m1').location_id), ('Left row, first', self.place))

    def test_who_may_and_what_can_be_accepted(self):
        with self.assertRaises(AccessError):
            self.devices.with_user(self.staff).action_accept()
        self.wizard(self.by_uid('m1')).action_accept()
        with self.assertRaisesRegex(UserError, 'accepted already'):
            self.by_uid('m1').action_accept()

    def shown_in(self, xml_id):
        """Devices that a menu's screen begins with."""
        action = self.env.ref(f'smart_dairy_iot.{xml_id}')
        domain = Domain(safe_eval(action.domain or '[]'))
        arch = etree.fromstring(self.env['iot.device'].get_view(view_type='search')['arch'])
        for name in safe_eval(action.context or '{}'):
            for node in arch.iterfind(f".//filter[@name='{name.removeprefix('search_default_')}']"):
                domain &= Domain(safe_eval(node.get('domain')))
        return self.devices.search(domain & Domain('farm_id', '=', self.farm.id)).mapped('device_uid')

    def test_who_has_only_appeared_waits_in_a_list_of_its_own(self):
        self.by_uid('m1').action_register()
        self.by_uid('m2').action_refuse()
        self.assertEqual(self.shown_in('iot_device_action'), ['m1'])
        self.assertEqual(sorted(self.shown_in('iot_device_action_discovered')), ['c1', 'x'])
