# Sets up the integration user of the connector. Private methods: for the server's shell, not for RPC.
import json
import os
from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.tools import convert_file

from .iot_connector import SECRET_PARAMETER, URL_PARAMETER

# Read by smart_dairy_iot_automation, where it is installed.
HOOK_PARAMETER = 'smart_dairy.connector_hook'
CONNECTOR_LOGIN = 'smart_dairy_connector'
KEY_NAME = 'Smart Dairy connector'
CONNECTOR_PARAMETERS = {
    'CONNECTOR_URL': URL_PARAMETER, 'CONNECTOR_ODOO_SECRET': SECRET_PARAMETER, 'CONNECTOR_HOOK_URL': HOOK_PARAMETER,
}
DEMO_FARMS = {'farm_green_meadow': 'farm1', 'farm_river_bend': 'farm2'}


class IotBridgeSetup(models.AbstractModel):
    _name = 'iot.bridge.setup'
    _description = 'Set-up of the Smart Dairy Connector'

    @api.model
    def _bootstrap(self):
        """Do what the environment asks for and print one JSON line ``{"login", "api_key", "expires"}``.

        ODOO_ADMIN_PASSWORD sets the password of the administrator; SMART_DAIRY_DEMO=1 loads the demo herd, and
        SMART_DAIRY_DEMO_DAYS=30 the simulator's devices and so many days of milkings as well; CONNECTOR_URL
        and CONNECTOR_ODOO_SECRET are where and with which secret Odoo calls the connector, CONNECTOR_HOOK_URL the secret
        address that wakes the automation rules.
        """
        if password := os.environ.get('ODOO_ADMIN_PASSWORD'):
            self.env.ref('base.user_admin').password = password
        if os.environ.get('SMART_DAIRY_DEMO') == '1':
            self._load_demo_herd()
        if days := int(os.environ.get('SMART_DAIRY_DEMO_DAYS') or 0):
            self._load_demo_herd()
            self._load_demo_devices()
            self._load_demo_milkings(days)
        for name, parameter in CONNECTOR_PARAMETERS.items():
            if value := os.environ.get(name):
                self.env['ir.config_parameter'].set_param(parameter, value)
        answer = self._issue_connector_key()
        # The shell does not commit by itself.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        # The answer for the caller of the shell.
        print(json.dumps(answer), flush=True)  # noqa: T201 # pylint: disable=print-used

    @api.model
    def _issue_connector_key(self):
        """Make or repair the integration user, and give it a new key in place of its older ones of the same name."""
        user = self._connector_user()
        keys = self.env['res.users.apikeys'].sudo()
        keys.search([('user_id', '=', user.id), ('name', '=', KEY_NAME)])._remove()
        days = max(user.all_group_ids.mapped('api_key_duration'))
        # A minute of slack: the limit is checked against a clock that has gone on.
        expires = fields.Datetime.now() + timedelta(days=days, minutes=-1)
        # Scope rpc: this key can call models, and nothing else.
        key = keys.with_user(user)._generate('rpc', KEY_NAME, expires)
        return {'login': user.login, 'api_key': key, 'expires': fields.Datetime.to_string(expires)}

    @api.model
    def _connector_user(self):
        group = self.env.ref('smart_dairy_iot.group_connector')
        companies = self.env['res.company'].search([])  # pylint: disable=no-search-all
        values = {
            'name': 'Smart Dairy Connector', 'active': True, 'group_ids': [Command.set(group.ids)],
            'company_ids': [Command.set(companies.ids)],
        }
        users = self.env['res.users'].with_context(active_test=False, no_reset_password=True)
        user = users.search([('login', '=', CONNECTOR_LOGIN)])
        if user:
            user.write(values)
        else:
            user = users.create({
                **values, 'login': CONNECTOR_LOGIN, 'company_id': self.env.ref('base.main_company').id,
                # No password: this user has its key and cannot log in to the screens.
            })
        return user

    @api.model
    def _load_demo_herd(self):
        """Load the demo farms and animals of Smart Dairy Farm, also in a database without Odoo's own demo data.

        What is there already stays as people left it.
        """
        for name, code in DEMO_FARMS.items():
            self._name_demo_farm(name, code)
        for filename in ('demo/farm_demo.xml', 'demo/farm_animal_demo.xml'):
            convert_file(self.env(su=True), 'smart_dairy_farm', filename, {}, mode='update', noupdate=True)

    def _name_demo_farm(self, name, code):
        """Let a farm that its devices were faster to report be the demo farm, instead of colliding with it."""
        farm = self.env['farm.farm'].with_context(active_test=False).search([
            ('code', '=', code), ('company_id', '=', self.env.company.id)])
        if farm and not self.env.ref(f'smart_dairy_farm.{name}', raise_if_not_found=False):
            self.env['ir.model.data'].create({
                'module': 'smart_dairy_farm', 'name': name, 'model': 'farm.farm', 'res_id': farm.id, 'noupdate': True})
            if farm.state == 'discovered':
                farm.action_confirm()
