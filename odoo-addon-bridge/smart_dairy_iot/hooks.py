# What an uninstall takes along that is no data of the module: the link with the connector, its secret and its key.
from .models.iot_bridge_setup import CONNECTOR_LOGIN


def uninstall_hook(env):
    env['ir.config_parameter'].search([('key', '=like', 'smart\\_dairy.%')]).unlink()
    user = env['res.users'].with_context(active_test=False).search([('login', '=', CONNECTOR_LOGIN)])
    env['res.users.apikeys'].sudo().search([('user_id', 'in', user.ids)])._remove()
    user.active = False
