# A place of the farm that devices watch: parlour, tank room, shed, pasture, and zones within them.
from odoo import api, fields, models
from odoo.addons.smart_dairy_farm.tools.copies import free_name
from odoo.exceptions import ValidationError


class IotLocation(models.Model):
    _name = 'iot.location'
    _description = 'Device Location'
    _parent_store = True
    _order = 'complete_name, id'
    _rec_name = 'complete_name'

    name = fields.Char(required=True)
    complete_name = fields.Char(string='Full Name', compute='_compute_complete_name', recursive=True, store=True)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [('parlour', 'Milking Parlour'), ('tank', 'Milk Tank'), ('shed', 'Shed'), ('feed', 'Feed Place'),
         ('water', 'Water Place'), ('gate', 'Gate'), ('pasture', 'Pasture'), ('store', 'Store'), ('transport', 'Transport'),
         ('other', 'Other')], default='other', required=True,
    )
    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    parent_id = fields.Many2one(
        'iot.location', string='Part of', index='btree_not_null', ondelete='restrict', domain="[('farm_id', '=', farm_id)]",
        help="The larger place that this zone is a part of.")
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many('iot.location', 'parent_id', string='Zones')
    device_ids = fields.One2many('iot.device', 'location_id', string='Devices')
    device_count = fields.Integer(string='Number of Devices', compute='_compute_device_count')

    _name_uniq = models.UniqueIndex(
        '(farm_id, COALESCE(parent_id, 0), name)', "There is already a place of this name here.")

    @api.depends('name', 'parent_id.complete_name')
    def _compute_complete_name(self):
        for place in self:
            place.complete_name = f"{place.parent_id.complete_name} / {place.name}" if place.parent_id else place.name

    def _compute_device_count(self):
        counts = dict(self.env['iot.device']._read_group([('location_id', 'in', self.ids)], ['location_id'], ['__count']))
        for place in self:
            place.device_count = counts.get(place, 0)

    @api.constrains('parent_id', 'farm_id')
    def _check_parent(self):
        for place in self:
            if place.parent_id and place.parent_id.farm_id != place.farm_id:
                raise ValidationError(self.env._("%s and its zones must be on the same farm.", place.parent_id.name))

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for place, vals in zip(self, vals_list):
            if not (default or {}).get('name'):
                beside = self.with_context(active_test=False).search([
                    ('farm_id', '=', place.farm_id.id), ('parent_id', '=', place.parent_id.id)])
                vals['name'] = free_name(self.env, place.name, set(beside.mapped('name')))
        return vals_list

    def action_view_devices(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_device_action')
        return dict(action, domain=[('location_id', 'child_of', self.ids)], context={
            'default_location_id': self.id, 'default_farm_id': self.farm_id.id})
