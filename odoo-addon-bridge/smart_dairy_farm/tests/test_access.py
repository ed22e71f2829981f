# Who may do what with the herd register, as one table, and the walls between companies.
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from .access import GROUPS, check_matrix, check_no_model_is_forgotten

# r, w, c, u: what each group may do
EXPECTED = {
    'farm.farm': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu'},
    'farm.pen': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu'},
    'farm.animal.tag': {'nobody': '', 'user': 'rwc', 'vet': 'rwc', 'manager': 'rwcu'},
    'farm.breed': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu'},
    'farm.animal': {'nobody': '', 'user': 'rwc', 'vet': 'rwc', 'manager': 'rwcu'},
}


@tagged('-at_install', 'post_install')
class TestFarmAccess(TransactionCase):

    def test_matrix(self):
        check_matrix(self, GROUPS, EXPECTED)
        check_no_model_is_forgotten(self, 'smart_dairy_farm', EXPECTED)

    def test_companies_do_not_see_each_other(self):
        companies = self.env['res.company'].create([{'name': 'North'}, {'name': 'South'}])
        north, south = self.env['farm.farm'].create([
            {'name': company.name, 'code': f'wall_{company.id}', 'company_id': company.id} for company in companies])
        pens = self.env['farm.pen'].create([{'name': 'Shed', 'farm_id': farm.id} for farm in (north, south)])
        cows = self.env['farm.animal'].create([{'name': 'Cow', 'farm_id': farm.id} for farm in (north, south)])
        boss = new_test_user(
            self.env, 'north_boss', 'smart_dairy_farm.group_farm_manager', company_id=companies[0].id,
            company_ids=[(6, 0, companies[0].ids)])
        for records, own in ((north | south, north), (pens, pens[0]), (cows, cows[0])):
            with self.subTest(model=records._name):
                seen = records.with_user(boss).search([('id', 'in', records.ids)])
                self.assertEqual(seen.ids, own.ids)
                with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_rule'):
                    (records - own).with_user(boss).write({'name': 'Taken'})
        with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_rule'):
            self.env['farm.animal'].with_user(boss).create({'name': 'Smuggled', 'farm_id': south.id})
