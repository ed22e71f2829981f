# Which animal carries a device, and from when to when.
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IotDeviceAssignment(models.Model):
    _name = 'iot.device.assignment'
    _description = 'Device on an Animal'
    _order = 'valid_from desc, id desc'

    device_id = fields.Many2one('iot.device', required=True, index=True, ondelete='cascade')
    device_type = fields.Selection(related='device_id.device_type')
    animal_id = fields.Many2one('farm.animal', required=True, index=True, ondelete='restrict')
    farm_id = fields.Many2one(related='device_id.farm_id', store=True)
    company_id = fields.Many2one(related='device_id.company_id', store=True, index=True)
    valid_from = fields.Datetime(string='From', required=True, default=fields.Datetime.now)
    valid_to = fields.Datetime(string='Until', help="Empty while the animal carries the device.")
    is_current = fields.Boolean(compute='_compute_is_current', search='_search_is_current')
    note = fields.Char(string='Remark')

    # The database refuses overlaps, also those of two people who save at the same moment. Ranges of integers have a
    # GiST class of their own, which saves the extension btree_gist.
    _no_overlap = models.Constraint(
        "EXCLUDE USING gist (int4range(device_id, device_id, '[]') WITH &&, tsrange(valid_from, valid_to) WITH &&)",
        "The device is on another animal in this time. End that assignment first.")
    _order_of_times = models.Constraint(
        'CHECK(valid_to IS NULL OR valid_to > valid_from)', "The device must leave the animal after it was put on.")

    @api.depends('valid_from', 'valid_to')
    def _compute_is_current(self):
        now = fields.Datetime.now()
        for row in self:
            row.is_current = bool(row.valid_from and row.valid_from <= now and (not row.valid_to or row.valid_to > now))

    def _search_is_current(self, operator, value):
        if operator != 'in':
            return NotImplemented
        now = fields.Datetime.now()
        current = fields.Domain([
            ('valid_from', '<=', now), '|', ('valid_to', '=', False), ('valid_to', '>', now)])
        return current if True in value else ~current

    @api.constrains('device_id', 'animal_id')
    def _check_same_company(self):
        for row in self:
            if row.device_id.company_id != row.animal_id.company_id:
                raise ValidationError(self.env._(
                    "%(device)s and %(animal)s belong to different companies.", device=row.device_id.display_name,
                    animal=row.animal_id.display_name))

    @api.depends('device_id', 'animal_id')
    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.device_id.display_name}: {row.animal_id.display_name}"

    def action_end(self):
        """The device has just been taken off."""
        self.filtered('is_current')._end()

    def _end(self):
        """What has begun ends now; what was only to begin, or began this very second, never was."""
        now = fields.Datetime.now()
        begun = self.filtered(lambda row: row.valid_from < now)
        begun.write({'valid_to': now})
        # sudo: who may end an assignment need not be allowed to delete history
        (self - begun).sudo().unlink()
