# So much feed for an animal or a pen, from a dispenser, at a time. Confirmed, it becomes a command to the dispenser.
import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .iot_device_command import FINAL_STATES

# What a confirmed order says is on its way; changed, it is another order.
ORDERED_FIELDS = frozenset((
    'farm_id', 'animal_id', 'pen_id', 'feed', 'amount_kg', 'device_id', 'command_name', 'scheduled_at'))
# What follows from the buttons and from the dispenser, and is not written by hand.
DECIDED_FIELDS = frozenset(('state', 'request_id', 'command_id', 'result', 'fed_at'))
# Feed that comes hours late is another meal: such an order is not carried out any more.
LATE = timedelta(hours=1)


class FarmFeedingOrder(models.Model):
    _name = 'farm.feeding.order'
    _description = 'Feeding Order'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'scheduled_at desc, id desc'
    # Whoever may see an order may leave a note on it.
    _mail_post_access = 'read'

    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='restrict', tracking=True)
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    animal_id = fields.Many2one(
        'farm.animal', index='btree_not_null', ondelete='restrict', tracking=True, domain="[('farm_id', '=', farm_id)]")
    pen_id = fields.Many2one(
        'farm.pen', string='Group (Pen)', index='btree_not_null', ondelete='restrict', tracking=True,
        domain="[('farm_id', '=', farm_id)]")
    feed = fields.Char(required=True, tracking=True, help="Such as dairy concentrate 18 %.")
    amount_kg = fields.Float(string='Amount (kg)', required=True, digits=(16, 3), tracking=True)
    device_id = fields.Many2one(
        'iot.device', string='Dispenser', required=True, index=True, ondelete='restrict', tracking=True,
        domain="[('farm_id', '=', farm_id), ('device_type', '=', 'feeder'), ('state', 'in', ('registered', 'active'))]")
    command_name = fields.Char(
        string='Command', required=True, default='give_feed', help="Name in the profile of the dispenser. Its value is the amount in kg.")
    scheduled_at = fields.Datetime(string='At', required=True, default=fields.Datetime.now, tracking=True)
    state = fields.Selection(
        [('draft', 'Draft'), ('confirmed', 'Confirmed'), ('sent', 'Sent'), ('done', 'Done'), ('failed', 'Failed'),
         ('cancelled', 'Cancelled')],
        string='Status', default='draft', required=True, readonly=True, copy=False, tracking=True, index=True, group_expand=True,
        help="Confirmed: it goes to the dispenser at its time. An order that could not be sent within an hour of its time fails.")
    request_id = fields.Char(default=lambda self: str(uuid.uuid4()), required=True, readonly=True, copy=False)
    command_id = fields.Many2one('iot.device.command', string='Sent Command', readonly=True, copy=False, ondelete='set null')
    result = fields.Char(readonly=True, copy=False)
    fed_at = fields.Datetime(string='Fed', readonly=True, copy=False)
    note = fields.Char(string='Remark')

    _amount_positive = models.Constraint('CHECK(amount_kg > 0)', "The amount must be more than 0 kg.")

    @api.constrains('animal_id', 'pen_id', 'farm_id', 'device_id')
    def _check_recipient(self):
        for order in self:
            if bool(order.animal_id) == bool(order.pen_id):
                raise UserError(self.env._("Choose either an animal or a pen to be fed."))
            for part in (order.animal_id, order.pen_id, order.device_id):
                if part and part.farm_id != order.farm_id:
                    raise UserError(self.env._(
                        "%(part)s is not on farm %(farm)s.", part=part.display_name, farm=order.farm_id.display_name))

    @api.depends('amount_kg', 'feed', 'animal_id', 'pen_id')
    def _compute_display_name(self):
        for order in self:
            whom = order.animal_id.display_name or order.pen_id.display_name or ''
            order.display_name = f"{whom}: {order.amount_kg:g} kg {order.feed or ''}".strip()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        if any(order.state in ('sent', 'done') for order in self):
            raise UserError(self.env._("An order that has reached the dispenser stays. Cancel others before deleting them."))
        self.command_id._call_off(self.env._("The order was cancelled."))

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            # Written out, because values come from the context too (default_state).
            vals_list = [
                {**{name: value for name, value in vals.items() if name not in DECIDED_FIELDS}, 'state': 'draft',
                 'request_id': str(uuid.uuid4()), 'command_id': False} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and not DECIDED_FIELDS.isdisjoint(vals):
            raise AccessError(self.env._("The status of an order follows from its buttons and from the dispenser."))
        if not self.env.su and not ORDERED_FIELDS.isdisjoint(vals) and any(order.state != 'draft' for order in self):
            raise UserError(self.env._("A confirmed order stays as it is. Cancel it and set it back to draft to change it."))
        return super().write(vals)

    def _decide(self, vals):
        self.check_access('write')
        # sudo: only to write what nobody writes by hand
        self.sudo().write(vals)

    def action_confirm(self):
        orders = self.filtered(lambda order: order.state == 'draft')
        orders.device_id._check_takes_commands()
        for order in orders:
            self.env['iot.device.command']._check_range(order.device_id, order.command_name, order._value())
        orders._decide({'state': 'confirmed', 'result': False})

    def action_cancel(self):
        orders = self.filtered(lambda order: order.state in ('draft', 'confirmed', 'failed'))
        orders._decide({'state': 'cancelled'})
        orders.command_id._call_off(self.env._("The order was cancelled."))

    def action_draft(self):
        for order in self.filtered(lambda order: order.state in ('cancelled', 'failed')):
            # Another attempt is another command.
            order._decide({'state': 'draft', 'request_id': str(uuid.uuid4()), 'command_id': False, 'result': False})

    def action_view_command(self):
        self.ensure_one()
        return {'type': 'ir.actions.act_window', 'res_model': 'iot.device.command', 'res_id': self.command_id.id,
                'view_mode': 'form', 'views': [(False, 'form')]}

    def action_send_due(self):
        """Send those that are confirmed and due. Called by the automation rule at once, and every minute by the schedule."""
        now = fields.Datetime.now()
        for order in self.filtered(lambda order: order.state == 'confirmed' and order.scheduled_at <= now):
            if order.scheduled_at < now - LATE:
                order._decide({'state': 'failed', 'result': self.env._("It could not be sent in time.")})
            else:
                order._send()

    @api.model
    def _cron_send_due(self):
        # Those that have a command already are tried again by its own schedule.
        self.search([
            ('state', '=', 'confirmed'), ('command_id', '=', False), ('scheduled_at', '<=', fields.Datetime.now())],
            order='scheduled_at, id').action_send_due()

    def _value(self):
        return f'{self.amount_kg:.3f}'.rstrip('0').rstrip('.')

    def _send(self):
        """Make its command, which goes out after the commit; the answer comes back with the command."""
        self.ensure_one()
        Command = self.env['iot.device.command']
        if not self.command_id:
            command = Command.search([('source_id', '=', self.request_id)], limit=1) or Command.create({
                'device_id': self.device_id.id, 'command': self.command_name, 'value': self._value(),
                'note': self.display_name, 'source_id': self.request_id, 'user_id': self.create_uid.id})
            self._decide({'command_id': command.id})
        self.command_id._send_until(self.scheduled_at + LATE)

    def _follow(self):
        """Take the state from the command."""
        for order in self:
            command = order.command_id
            if order.state == 'cancelled' and command.state != 'done':
                continue
            if command.state == 'done':
                order.write({'state': 'done', 'result': command.detail, 'fed_at': command.finished_at or fields.Datetime.now()})
            elif command.state in FINAL_STATES:
                labels = dict(command._fields['state']._description_selection(self.env))
                order.write({'state': 'failed', 'result': command.detail or labels[command.state]})
            elif command.state in ('sent', 'accepted'):
                order.state = 'sent'
            else:
                # Not sent: the connector is away. The command's schedule tries again until it is too late.
                order.result = command.detail


class IotDeviceCommand(models.Model):
    _inherit = 'iot.device.command'

    def _after_result(self):
        answer = super()._after_result()
        # sudo: the connector has no right to orders; what it brings is the result of this command alone
        self.env['farm.feeding.order'].sudo().search([
            ('command_id', 'in', self.ids), ('state', 'in', ('confirmed', 'sent', 'failed', 'cancelled'))])._follow()
        return answer
