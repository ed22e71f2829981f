# Getting started in four steps: connect, import animals, accept devices, first milking.
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.iot_connector import SECRET_PARAMETER, URL_PARAMETER


class IotOnboarding(models.TransientModel):
    _name = 'iot.onboarding'
    _description = 'Getting Started'

    connector_url = fields.Char(
        string='Address of the Connector', groups='base.group_system', help="Such as http://192.168.1.10:8080",
        default=lambda self: self._parameter(URL_PARAMETER))
    connector_secret = fields.Char(
        string='Shared Secret', groups='base.group_system',
        help="The value of CONNECTOR_ODOO_SECRET at the connector. Left empty, the present one stays.")
    # Each direction has an address and a secret of its own.
    is_connected = fields.Boolean(compute='_compute_steps')
    is_copy = fields.Boolean(compute='_compute_steps')
    has_come = fields.Boolean(compute='_compute_steps')
    user_tz = fields.Char(string='Your Time Zone', compute='_compute_steps')
    farm_count = fields.Integer(string='Farms', compute='_compute_steps')
    zoneless_count = fields.Integer(string='Farms without Time Zone', compute='_compute_steps')
    animal_count = fields.Integer(string='Animals', compute='_compute_steps')
    discovered_count = fields.Integer(string='Discovered Devices', compute='_compute_steps')
    device_count = fields.Integer(string='Accepted Devices', compute='_compute_steps')
    milking_count = fields.Integer(string='Milkings', compute='_compute_steps')

    @api.depends_context('lang')
    def _compute_display_name(self):
        self.display_name = self.env._("Getting Started")

    @api.model
    def _parameter(self, name):
        # Only settings administrators may read it; the field is hidden from all others.
        return self.env['ir.config_parameter'].get_param(name) if self.env.is_system() else False

    @api.depends_context('uid')
    def _compute_steps(self):
        Device, Connector = self.env['iot.device'], self.env['iot.connector']
        # sudo: whether the last call was answered is no secret, the audit itself is
        last_call = self.env['iot.connector.call'].sudo().search([], order='id desc', limit=1)
        has_come = bool(Device.search_count([('source', '!=', False)], limit=1))
        for step in self:
            # A copy of a database has the calls of the original, too.
            step.is_copy = Connector._is_copy()
            step.is_connected = last_call.status == 'ok' and bool(Connector._settings())
            step.has_come = has_come
            step.user_tz = self.env.user.tz
            step.zoneless_count = self.env['farm.farm'].search_count([('state', '=', 'active'), ('tz', '=', False)])
            step.farm_count = self.env['farm.farm'].search_count([('state', '=', 'active')])
            step.animal_count = self.env['farm.animal'].search_count([])
            step.discovered_count = Device.search_count([('state', '=', 'discovered')])
            step.device_count = Device.search_count([('state', 'in', ('registered', 'active', 'maintenance', 'inactive'))])
            step.milking_count = self.env['iot.milk.session'].search_count([])

    @api.model
    def action_open(self):
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Getting Started"), 'res_model': self._name,
            'res_id': self.create({}).id, 'view_mode': 'form', 'views': [(False, 'form')], 'target': 'current',
        }

    def action_connect(self):
        """Keep address and secret, and try them."""
        self.ensure_one()
        parameters = self.env['ir.config_parameter']
        parameters.set_param(URL_PARAMETER, (self.connector_url or '').strip())
        if self.connector_secret:
            parameters.set_param(SECRET_PARAMETER, self.connector_secret.strip())
            # Also when it is the same as before: in a copy of a database it was entered only now.
            self.env['iot.connector']._bind()
            self.connector_secret = False
        try:
            self.env['iot.connector'].call('outbox/summary')
        except UserError as error:
            kind, text = 'danger', str(error.args[0])
        else:
            kind, text = 'success', self.env._("The connector answers.")
        return {'type': 'ir.actions.client', 'tag': 'display_notification', 'params': {
            'type': kind, 'message': text, 'sticky': kind == 'danger',
            'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'}}}

    def action_farms(self):
        return self.env['ir.actions.act_window']._for_xml_id('smart_dairy_farm.farm_farm_action')

    def action_import_animals(self):
        return {
            'type': 'ir.actions.client', 'tag': 'import', 'name': self.env._("Import Animals"),
            'params': {'active_model': 'farm.animal', 'context': {}},
        }

    def action_animals(self):
        return self.env['ir.actions.act_window']._for_xml_id('smart_dairy_farm.farm_animal_action')

    def action_devices(self):
        name = 'iot_device_action_discovered' if self.discovered_count else 'iot_device_action'
        return self.env['ir.actions.act_window']._for_xml_id(f'smart_dairy_iot.{name}')

    def action_milkings(self):
        return self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_milk_session_action_parlour')
