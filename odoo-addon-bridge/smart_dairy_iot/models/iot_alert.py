# Something on the farm that a person should look at, raised and cleared by the connector's rules.
from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools.measured import MeasuredFloat

OPEN_STATES = ('new', 'acknowledged')
# What an alert is about, beside its bridged fields: not for people to rewrite.
SUBJECT_FIELDS = frozenset((
    'farm_id', 'company_id', 'device_id', 'animal_id', 'milk_session_id', 'milk_session_ref', 'state_user_id', 'episode_id',
    'occurrences', 'last_raised_at', 'worst_severity'))


class IotAlert(models.Model):
    _name = 'iot.alert'
    _description = 'IoT Alert'
    _inherit = ['iot.bridge.mixin', 'mail.thread', 'mail.activity.mixin']
    _order = 'raised_at desc, id desc'
    _rec_name = 'message'

    _bridge_fields = (
        'rfid_tag', 'alert_type', 'severity', 'state', 'message', 'trigger_value', 'threshold_value', 'unit',
        'raised_at', 'cleared_at',
    )
    _bridge_references = ('farm', 'device_uid', 'device_type', 'milk_session')
    _bridge_required = ('farm', 'alert_type', 'severity', 'message', 'raised_at')
    _bridge_finds_animal = True
    _bridge_moment = 'raised_at'

    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    device_id = fields.Many2one('iot.device', index='btree_not_null', ondelete='restrict')
    animal_id = fields.Many2one('farm.animal', index='btree_not_null', ondelete='restrict')
    rfid_tag = fields.Char(string='RFID')
    milk_session_id = fields.Many2one(
        'iot.milk.session', string='Milking', index='btree_not_null', ondelete='set null')
    alert_type = fields.Char(
        string='Type', required=True, index=True, help="Kind of alert, such as high_scc or abnormal_yield.")
    alert_type_label = fields.Char(string='Kind', compute='_compute_alert_type_label')
    severity = fields.Selection(
        [('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], default='medium',
        required=True, tracking=True, index=True,
    )
    state = fields.Selection(
        [('new', 'New'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], string='Status', default='new',
        required=True, tracking=True, index=True, group_expand=True,
        help="New: nobody has looked yet.\nAcknowledged: somebody takes care.\nResolved: done.",
    )
    state_user_id = fields.Many2one(
        'res.users', string='Handled by', readonly=True, copy=False, tracking=True,
        help="Person who last acknowledged, resolved or reopened this alert. From then on the status is theirs.",
    )
    message = fields.Text(required=True)
    trigger_value = MeasuredFloat(string='Value', aggregator=None)
    threshold_value = MeasuredFloat(string='Limit', aggregator=None)
    unit = fields.Char()
    raised_at = fields.Datetime(string='Raised', required=True, index=True, default=fields.Datetime.now)
    cleared_at = fields.Datetime(string='Cleared', help="When the cause went away by itself.")
    note = fields.Text(string='Remark')

    @api.depends('alert_type', 'animal_id', 'device_id')
    @api.depends_context('lang')
    def _compute_display_name(self):
        for alert in self:
            about = alert.animal_id.name or alert.device_id.name
            alert.display_name = f"{alert.alert_type_label}: {about}" if about else alert.alert_type_label

    # -- what people do ----------------------------------------------------------------------------

    def write(self, vals):
        self._check_kept(vals)
        if 'state' in vals and 'state_user_id' not in vals:
            vals = {**vals, 'state_user_id': self.env.uid}
        return super().write(vals)

    def _check_kept(self, vals):
        """What was raised stays as raised: people say what becomes of it, and may remark on it. One that was entered by hand is
        its administrator's to mend."""
        touched = (set(vals) & {*self._bridge_fields, *SUBJECT_FIELDS}) - {'state'}
        if not touched or self._is_connector():
            return
        by_hand = not any(alert.source for alert in self) and SUBJECT_FIELDS.isdisjoint(touched)
        if by_hand and self.env.user.has_group('smart_dairy_iot.group_iot_admin'):
            return
        labels = ', '.join(self._fields[name].string for name in sorted(touched))
        raise AccessError(self.env._(
            "An alert cannot be rewritten by hand: %s. Change its status, or write a remark.", labels))

    def action_acknowledge(self):
        self.filtered(lambda alert: alert.state == 'new').write({'state': 'acknowledged'})

    def action_resolve(self):
        self.filtered(lambda alert: alert.state in OPEN_STATES).write({'state': 'resolved'})

    def action_reopen(self):
        self.filtered(lambda alert: alert.state == 'resolved').write({'state': 'new'})

    # -- what the connector does -------------------------------------------------------------------

    def _bridge_values(self, entry):
        values = super()._bridge_values(entry)
        values.setdefault('state', 'new')
        return values

    def _bridge_changes(self, record, entry):
        values = super()._bridge_changes(record, entry)
        by_person = bool(record.state_user_id)
        if by_person and not (record.state == 'new' and values['state'] == 'resolved'):
            values.pop('state')
        elif 'state' not in entry.values:
            values.pop('state')
        else:
            values['state_user_id'] = False
        return values
