# The form that sends a command to a device: what its profile offers, asked of the connector when it opens.
import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.value_range import range_text


class IotDeviceCommandWizard(models.TransientModel):
    _name = 'iot.device.command.wizard'
    _description = 'Send a Command'

    # Made with the form, not with the command: when Odoo repeats the request, it is still the same command.
    request_id = fields.Char(default=lambda self: str(uuid.uuid4()), required=True, readonly=True)
    device_id = fields.Many2one('iot.device', required=True, readonly=True)
    problem = fields.Char(readonly=True)
    known_ids = fields.One2many('iot.device.command.known', 'wizard_id')
    known_id = fields.Many2one(
        'iot.device.command.known', string='Command', domain="[('wizard_id', '=', id)]",
        help="What the profile of the device offers.")
    command = fields.Char(string='Other Command', help="For devices whose profile lists no commands.")
    takes_value = fields.Boolean(compute='_compute_takes_value')
    value = fields.Char()
    range = fields.Char(related='known_id.range')
    description = fields.Char(related='known_id.description')
    note = fields.Char(string='Reason')

    @api.depends('known_id', 'known_ids')
    def _compute_takes_value(self):
        for wizard in self:
            wizard.takes_value = wizard.known_id.takes_value if wizard.known_ids else True

    @api.model
    def _open_for(self, device):
        values = {'device_id': device.id}
        try:
            answer = self.env['iot.connector'].call(
                'command/known', {'farm': device.farm_id.code, 'device_uid': device.device_uid}, record=device)
            values['known_ids'] = [fields.Command.create({
                'name': known['name'], 'takes_value': known['takes_value'], 'unit': known['unit'],
                'low': self._as_text(known['min']), 'high': self._as_text(known['max']),
                'description': known.get('description'),
            }) for known in answer['commands']]
        except UserError as error:
            values['problem'] = str(error.args[0])
        wizard = self.create(values)
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Send a Command"), 'res_model': self._name,
            'res_id': wizard.id, 'view_mode': 'form', 'views': [(False, 'form')], 'target': 'new',
        }

    @api.model
    def _as_text(self, limit):
        return False if limit is None else f'{limit:g}'

    def action_send(self):
        self.ensure_one()
        name = self.known_id.name or (self.command or '').strip()
        if not name:
            raise UserError(self.env._("Choose a command."))
        value = (self.value or '').strip() if self.takes_value else ''
        if self.known_id:
            self.known_id._check_value(value)
        # A form that is sent twice is one command.
        command = self.env['iot.device.command'].search([('source_id', '=', self.request_id)]) or (
            self.env['iot.device.command'].create({
                'device_id': self.device_id.id, 'command': name, 'value': value or False, 'note': self.note,
                'source_id': self.request_id}))
        command.action_send()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'iot.device.command', 'res_id': command.id, 'view_mode': 'form',
            'views': [(False, 'form')], 'target': 'current',
        }


class IotDeviceCommandKnown(models.TransientModel):
    _name = 'iot.device.command.known'
    _description = 'Command of a Profile'

    wizard_id = fields.Many2one('iot.device.command.wizard', required=True, ondelete='cascade')
    name = fields.Char(required=True)
    takes_value = fields.Boolean()
    # Text, because 0 is a limit and nothing is none.
    low = fields.Char()
    high = fields.Char()
    unit = fields.Char()
    description = fields.Char()
    range = fields.Char(compute='_compute_range')

    @api.depends('low', 'high', 'unit')
    def _compute_range(self):
        for known in self:
            known.range = range_text(*known._limits(), known.unit) or False

    def _limits(self):
        return tuple(float(limit) if limit else None for limit in (self.low, self.high))

    def _check_value(self, text):
        """Raise UserError for a value that the device would reject anyway."""
        if self.takes_value:
            self.env['iot.device.command']._check_value(self.name, text, *self._limits(), self.unit)
