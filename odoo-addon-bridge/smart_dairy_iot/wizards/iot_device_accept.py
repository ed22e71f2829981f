# Accept several devices at once, each with its name, place and animal.
from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.iot_device import DEVICE_TYPES

ACCEPTABLE = ('draft', 'discovered', 'refused')


class IotDevice(models.Model):
    _inherit = 'iot.device'

    def action_accept(self):
        """Ask for name, place and animal of these devices, then accept them."""
        self.check_access('write')
        devices = self.filtered(lambda device: device.state in ACCEPTABLE)
        if not devices:
            raise UserError(self.env._("These devices are accepted already."))
        wizard = self.env['iot.device.accept'].create({
            'line_ids': [Command.create(self.env['iot.device.accept.line']._values_of(device)) for device in devices]})
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Accept Devices"), 'res_model': wizard._name,
            'res_id': wizard.id, 'view_mode': 'form', 'views': [(False, 'form')], 'target': 'new',
        }


class IotDeviceAccept(models.TransientModel):
    _name = 'iot.device.accept'
    _description = 'Accept Devices'

    line_ids = fields.One2many('iot.device.accept.line', 'accept_id', string='Devices')
    location_id = fields.Many2one('iot.location', string='Place of All', help="For those of its farm that have no place below.")

    def action_accept(self):
        """Accept those that are ticked; all or none."""
        self.ensure_one()
        lines = self.line_ids.filtered('is_wanted')
        if not lines:
            raise UserError(self.env._("Tick the devices that are yours."))
        for line in lines:
            line._accept(self.location_id)
        return {
            'type': 'ir.actions.client', 'tag': 'display_notification',
            'params': {
                'type': 'success', 'message': self.env._("%s devices are accepted.", len(lines)),
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }

    def action_refuse_others(self):
        """Refuse those that are not ticked, and accept the others."""
        self.ensure_one()
        others = self.line_ids.filtered(lambda line: not line.is_wanted).device_id
        others.filtered(lambda device: device.state == 'discovered').action_refuse()
        if self.line_ids.filtered('is_wanted'):
            return self.action_accept()
        return {'type': 'ir.actions.act_window_close'}


class IotDeviceAcceptLine(models.TransientModel):
    _name = 'iot.device.accept.line'
    _description = 'Device to Accept'

    accept_id = fields.Many2one('iot.device.accept', required=True, ondelete='cascade')
    is_wanted = fields.Boolean(string='Accept', default=True)
    device_id = fields.Many2one('iot.device', required=True, readonly=True, ondelete='cascade')
    device_uid = fields.Char(related='device_id.device_uid', string='Device ID')
    farm_id = fields.Many2one(related='device_id.farm_id')
    company_id = fields.Many2one(related='device_id.company_id')
    last_seen = fields.Datetime(related='device_id.last_seen')
    name = fields.Char(required=True)
    device_type = fields.Selection(DEVICE_TYPES, string='Type')
    location_id = fields.Many2one('iot.location', string='Place', domain="[('farm_id', '=', farm_id)]")
    pen_id = fields.Many2one('farm.pen', domain="[('farm_id', '=', farm_id)]")
    stall = fields.Char()
    animal_id = fields.Many2one(
        'farm.animal', string='On Animal', domain="[('company_id', '=', company_id), ('in_herd', '=', True)]",
        help="Animal that carries it, for a collar.")

    @api.model
    def _values_of(self, device):
        return {
            'device_id': device.id, 'name': device.name, 'device_type': device.device_type, 'location_id': device.location_id.id,
            'pen_id': device.pen_id.id, 'stall': device.stall, 'animal_id': device.animal_id.id,
        }

    def _accept(self, place):
        self.ensure_one()
        device = self.device_id
        if place.farm_id != device.farm_id:
            place = place.browse()
        device.write({
            'name': self.name, 'device_type': self.device_type, 'location_id': (self.location_id or place).id,
            'pen_id': self.pen_id.id, 'stall': self.stall})
        device.action_register()
        if self.animal_id and self.animal_id != device.animal_id:
            device.action_take_off()
            self.env['iot.device.assignment'].create({'device_id': device.id, 'animal_id': self.animal_id.id})
