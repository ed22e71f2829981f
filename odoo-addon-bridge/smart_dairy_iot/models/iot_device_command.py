# A command to a device: who sent it, what became of it. The connector publishes it and brings the result.
import logging
import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

SOURCE = 'smart_dairy'
FINAL_STATES = ('done', 'rejected', 'failed', 'timed_out')
# What a person says of a command; the rest is the connector's.
PERSONAL_FIELDS = frozenset(('device_id', 'command', 'value', 'note', 'source_id'))


class IotDeviceCommand(models.Model):
    _name = 'iot.device.command'
    _description = 'Device Command'
    _inherit = ['iot.bridge.mixin', 'mail.thread']
    _order = 'id desc'
    _rec_name = 'command'
    # Whoever may read a command may remark on it.
    _mail_post_access = 'read'

    _bridge_fields = (
        'command', 'value', 'state', 'detail', 'result_value', 'requested_at', 'expires_at', 'finished_at')
    _bridge_references = ('farm', 'device_uid')
    _bridge_required = ('farm', 'device_uid', 'command', 'state')

    device_id = fields.Many2one('iot.device', required=True, index=True, ondelete='cascade')
    farm_id = fields.Many2one(related='device_id.farm_id', store=True, index=True)
    company_id = fields.Many2one(related='device_id.company_id', store=True, index=True)
    command = fields.Char(required=True, help="Name of the command in the profile of the device, such as open.")
    value = fields.Char(help="What the command is to set, in the unit of the profile. Empty for commands that need none.")
    note = fields.Char(string='Reason')
    state = fields.Selection(
        [('queued', 'Not Sent'), ('sent', 'Sent'), ('accepted', 'Accepted'), ('done', 'Done'), ('rejected', 'Rejected'),
         ('failed', 'Failed'), ('timed_out', 'Timed Out')],
        string='Status', default='queued', required=True, readonly=True, index=True, copy=False, tracking=True,
        help="Not sent: the connector does not have it yet; tried again for ten minutes.\nSent: on its way to the device.\nAccepted: the gateway has it.\n"
             "Done: executed, and read back where the device can be read.\n"
             "Rejected: it will never work as it is.\nFailed: the device refused it, or shows another value afterwards.\n"
             "Timed out: no answer in time. It is not executed later.")
    detail = fields.Char(readonly=True, copy=False, help="What the connector or the device says about it.")
    result_value = fields.Char(string='Value Read Back', readonly=True, copy=False)
    user_id = fields.Many2one(
        'res.users', string='Sent by', readonly=True, default=lambda self: self.env.user, copy=False, ondelete='set null')
    requested_at = fields.Datetime(string='Sent at', readonly=True, copy=False)
    expires_at = fields.Datetime(string='Valid until', readonly=True, copy=False)
    finished_at = fields.Datetime(string='Finished', readonly=True, copy=False)

    @api.depends('command', 'value', 'device_id')
    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.device_id.display_name}: {' '.join(filter(None, (row.command, row.value)))}"

    # -- what people do ----------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.user.has_group('smart_dairy_iot.group_connector'):
            if not self.env.su:
                # A result is the connector's to say, and nobody sends in another's name.
                vals_list = [
                    {name: value for name, value in vals.items() if name in PERSONAL_FIELDS} for vals in vals_list]
            self.env['iot.device'].browse({vals['device_id'] for vals in vals_list})._check_takes_commands()
            vals_list = [
                {'source_id': str(uuid.uuid4()), **vals, 'source': SOURCE, 'revision': 0} for vals in vals_list]
        return super().create(vals_list)

    def _has_foreign_key(self):
        # A command is made here: create() above gives it its key.
        return False

    def action_refresh(self):
        """Ask the connector what became of them, for whoever does not want to wait for its message."""
        self.check_access('read')
        self._refresh()

    def _refresh(self):
        waiting = self.filtered(lambda row: row.state in ('sent', 'accepted'))[:200]
        if not waiting:
            return
        answer = self.env['iot.connector'].call('command/status', {'request_ids': waiting.mapped('source_id')})
        known = {found['request_id']: found for found in answer['commands']}
        # sudo: as above, this is what the connector says
        for command in waiting.sudo():
            found = known.get(command.source_id)
            if found and found['state'] != command.state:
                value = found.get('result_value')
                command.write({
                    'state': found['state'], 'detail': found.get('detail') or False,
                    'result_value': False if value is None else str(value),
                    'finished_at': self._as_datetime(found.get('finished_at'))})
            elif not found and command.expires_at and command.expires_at < fields.Datetime.now():
                command.write({'state': 'timed_out', 'detail': self.env._("The connector does not know of it.")})
        waiting._after_result()

    @api.model
    def _as_datetime(self, text):
        """Odoo's time of an ISO time in UTC."""
        return text and fields.Datetime.to_datetime(text[:19].replace('T', ' '))

    @api.model
    def _cron_refresh(self):
        """Results whose message was lost: ask for those that should be over by now."""
        late = self.search([('state', 'in', ('sent', 'accepted')), ('expires_at', '<', fields.Datetime.now())], limit=200)
        try:
            late._refresh()
        except UserError as error:
            _logger.info("commands: %s", error)

    # -- what the connector does -------------------------------------------------------------------

    def _bridge_changes(self, record, entry):
        values = super()._bridge_changes(record, entry)
        # What a person ordered stays as it was ordered.
        for name in ('command', 'value'):
            values.pop(name)
        return values

    def _bridge_values(self, entry):
        values = super()._bridge_values(entry)
        values.pop('farm_id', None)
        values.pop('company_id', None)
        return values

    def _bridge_insert(self, entries):
        answer = super()._bridge_insert(entries)
        self.browse(entry.answer['id'] for entry in entries)._after_result()
        return answer

    def _bridge_update(self, entries):
        answer = super()._bridge_update(entries)
        self.browse(entry.current_id for entry in entries)._after_result()
        return answer

    def _after_result(self):
        """Tell the device's history how its commands ended. For models to extend."""
        labels = dict(self._fields['state']._description_selection(self.env))
        for command in self.filtered(lambda row: row.state in FINAL_STATES):
            text = f"{' '.join(filter(None, (command.command, command.value)))}: {labels[command.state]}"
            # sudo: the connector may not write messages
            command.device_id.sudo()._message_log(
                body=f"{text} ({command.detail})" if command.detail else text,
                author_id=command.sudo().user_id.partner_id.id or None)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_under_way(self):
        if any(row.state in ('sent', 'accepted') for row in self):
            raise UserError(self.env._("A command that is on its way cannot be deleted."))


class IotDevice(models.Model):
    _inherit = 'iot.device'

    command_ids = fields.One2many('iot.device.command', 'device_id', string='Commands')
    command_count = fields.Integer(string='Number of Commands', compute='_compute_command_count')

    def _compute_command_count(self):
        counts = dict(self.env['iot.device.command']._read_group(
            [('device_id', 'in', self.ids)], ['device_id'], ['__count']))
        for device in self:
            device.command_count = counts.get(device, 0)

    def _check_takes_commands(self):
        for device in self:
            if device.state not in ('registered', 'active', 'maintenance'):
                labels = dict(self._fields['state']._description_selection(self.env))
                raise UserError(self.env._(
                    "%(device)s is %(state)s: it takes no commands. Register it first.", device=device.display_name,
                    state=labels[device.state]))

    def action_view_commands(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_device_command_action')
        return dict(action, domain=[('device_id', 'in', self.ids)], context={'default_device_id': self.id})

    def action_command(self):
        """Open the form that sends a command."""
        self.ensure_one()
        self._check_takes_commands()
        return self.env['iot.device.command.wizard']._open_for(self)
