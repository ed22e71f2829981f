# The access matrix group × model × operation: measured, printed, compared. For the tests of every Smart Dairy addon.
from odoo.tests import new_test_user

OPERATIONS = ('read', 'write', 'create', 'unlink')
GROUPS = {
    'nobody': 'base.group_user',
    'user': 'smart_dairy_farm.group_farm_user',
    'vet': 'smart_dairy_farm.group_veterinarian',
    'manager': 'smart_dairy_farm.group_farm_manager',
}


def check_matrix(case, groups, expected):
    """Assert that each group may do with each model what ``expected`` says: ``{model: {group: 'rwcu'}}``; print it."""
    users = {name: new_test_user(case.env, f'matrix_{name}', xml_id) for name, xml_id in groups.items()}
    found = {
        model: {
            name: ''.join(op[0] for op in OPERATIONS if case.env[model].with_user(user).browse().has_access(op))
            for name, user in users.items()
        } for model in expected
    }
    width = max(map(len, expected)) + 2
    lines = [f"{'':{width}}" + ''.join(f"{name:11}" for name in groups)]
    lines += [f"{model:{width}}" + ''.join(f"{row[name] or '-':11}" for name in groups) for model, row in found.items()]
    print('\n'.join(['', 'Access rights (r read, w write, c create, u unlink)', *lines]))  # noqa: T201 # pylint: disable=print-used
    case.assertEqual(found, expected)


def check_no_model_is_forgotten(case, module, expected):
    """Assert that every model of ``module`` that has a table, and belongs to no other addon, is in ``expected``."""
    names = {model.model for model in case.env['ir.model'].search([('abstract', '=', False)])
             if model.modules.split(', ') == [module]}
    case.assertEqual(names - set(expected), set(), 'models without a line in the matrix')
