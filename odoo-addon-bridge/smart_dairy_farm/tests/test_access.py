# Who may do what with the herd register, as one table, and the walls between companies.
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

OPERATIONS = ('read', 'write', 'create', 'unlink')
GROUPS = {
    'nobody': 'base.group_user',
    'user': 'smart_dairy_farm.group_farm_user',
    'vet': 'smart_dairy_farm.group_veterinarian',
    'manager': 'smart_dairy_farm.group_farm_manager',
}
# r, w, c, u: what each group may do
EXPECTED = {
    'farm.farm': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu'},
    'farm.pen': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu'},
    'farm.breed': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu'},
    'farm.animal': {'nobody': '', 'user': 'rwc', 'vet': 'rwc', 'manager': 'rwcu'},
}


@tagged('-at_install', 'post_install')
class TestFarmAccess(TransactionCase):

    def test_matrix(self):
        users = {name: new_test_user(self.env, f'farm_{name}', groups) for name, groups in GROUPS.items()}
        found = {
            model: {
                name: ''.join(op[0] for op in OPERATIONS if self.env[model].with_user(user).browse().has_access(op))
                for name, user in users.items()
            } for model in EXPECTED
        }
        lines = [f"{'':14}" + ''.join(f"{name:10}" for name in GROUPS)]
        lines += [f"{model:14}" + ''.join(f"{row[name] or '-':10}" for name in GROUPS) for model, row in found.items()]
        print('\n'.join(['', 'Access rights (r read, w write, c create, u unlink)', *lines]))  # noqa: T201 # pylint: disable=print-used
        self.assertEqual(found, EXPECTED)

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
