# One open alert for each animal and type: those that come while the first is open are counted with it, in whatever order they come.
from collections import defaultdict
from datetime import datetime

from odoo import api, fields, models

OPEN_STATES = ('new', 'acknowledged')
GRAVITY = ('low', 'medium', 'high', 'critical')
# What decides which episode an alert belongs to.
EPISODE_FIELDS = frozenset((
    'state', 'alert_type', 'farm_id', 'animal_id', 'rfid_tag', 'device_id', 'milk_session_id', 'raised_at', 'severity'))


class IotAlert(models.Model):
    _inherit = 'iot.alert'

    episode_id = fields.Many2one(
        'iot.alert', string='First Alert', readonly=True, copy=False, index='btree_not_null', ondelete='set null',
        help="The alert that was open already for the same animal and of the same type. This one is counted there.")
    repeat_ids = fields.One2many('iot.alert', 'episode_id', string='Raised Again')
    occurrences = fields.Integer(
        string='Times', default=1, readonly=True, copy=False, aggregator='sum',
        help="How often it was raised for the same animal while it was open.")
    last_raised_at = fields.Datetime(string='Last Raised', readonly=True, copy=False)
    worst_severity = fields.Selection(
        [('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], string='Gravest', readonly=True,
        copy=False, help="The gravest severity of all times it was raised.")

    @api.model_create_multi
    def create(self, vals_list):
        alerts = super().create(vals_list)
        if not self.env.context.get('smart_dairy_batch'):
            alerts._regroup()
        return alerts

    def write(self, vals):
        if self.env.context.get('smart_dairy_batch') or EPISODE_FIELDS.isdisjoint(vals):
            return super().write(vals)
        before = self._subjects()
        answer = super().write(vals)
        if 'state' in vals and not self.env.context.get('smart_dairy_alone'):
            # What a person says of an alert is said of every time it was raised.
            self.sudo().repeat_ids.filtered(lambda alert: alert.state in OPEN_STATES).with_context(
                smart_dairy_alone=True).write({
                    'state': vals['state'], 'state_user_id': vals.get('state_user_id', self.env.uid)})
        self._regroup(before)
        return answer

    def _bridge_insert(self, entries):
        answer = super(IotAlert, self.with_context(smart_dairy_batch=True))._bridge_insert(entries)
        self.browse(entry.answer['id'] for entry in entries)._regroup()
        return answer

    def _bridge_update(self, entries):
        alerts = self.browse(entry.current_id for entry in entries)
        before = alerts._subjects()
        answer = super(IotAlert, self.with_context(smart_dairy_batch=True))._bridge_update(entries)
        alerts._regroup(before)
        return answer

    def _subject(self):
        """Whom it is about, and its type: two open alerts with the same one are one. Of milkings of unknown animals each may be
        another animal's."""
        if self.animal_id:
            about = 'animal', self.animal_id.id
        elif self.rfid_tag:
            about = 'tag', self.rfid_tag
        elif self.milk_session_id or self.milk_session_ref:
            about = 'alert', self.id
        elif self.device_id:
            about = 'device', self.device_id.id
        else:
            about = 'farm', self.farm_id.id
        return self.farm_id.id, self.alert_type, *about

    def _subjects(self):
        # sudo: the animal may have left the companies of whoever changes the alert
        return {alert._subject() for alert in self.sudo()}

    def _regroup(self, former=frozenset()):
        """Count the open alerts of the subjects of these alerts, and of ``former`` ones, anew. The result depends on which alerts
        are open, not on the order in which they came."""
        # sudo: what follows from the alerts of a subject, whoever may see them
        own = self.sudo().with_context(smart_dairy_batch=True, tracking_disable=True)
        subjects = own._subjects() | former
        if not subjects:
            return
        farms, types = {subject[0] for subject in subjects}, {subject[1] for subject in subjects}

        def known(kind):
            return [subject[3] for subject in subjects if subject[2] == kind]
        candidates = own.search([
            ('state', 'in', OPEN_STATES), ('farm_id', 'in', list(farms)), ('alert_type', 'in', list(types)),
            '|', '|', '|', '|', ('animal_id', 'in', known('animal')), ('rfid_tag', 'in', known('tag')),
            ('device_id', 'in', known('device')), ('id', 'in', known('alert')),
            '&', '&', ('animal_id', '=', False), ('device_id', '=', False), ('rfid_tag', '=', False)])
        groups = defaultdict(own.browse)
        for alert in candidates:
            groups[alert._subject()] += alert
        for subject in subjects:
            groups[subject]._count_together()
        # What is over by itself stands for itself; what a person has closed stays with what was closed with it.
        for alert in own.filtered(
                lambda alert: alert.state == 'resolved' and not (alert.state_user_id and alert.worst_severity)):
            alert._set_episode(False, 1, alert.raised_at, alert.severity)

    def _count_together(self):
        if not self:
            return
        alerts = self.sorted(lambda alert: (alert.raised_at or datetime.min, alert.source_id or '', alert.id))
        first, others = alerts[0], alerts[1:]
        acknowledged = alerts.filtered(lambda alert: alert.state == 'acknowledged')
        if first.state == 'new' and acknowledged:
            first.write({'state': 'acknowledged', 'state_user_id': acknowledged[0].state_user_id.id})
        for alert in others:
            alert._set_episode(first.id, 1, alert.raised_at, alert.severity)
        first._set_episode(
            False, len(alerts), max(alerts.mapped('raised_at')), max(alerts.mapped('severity'), key=GRAVITY.index))

    def _set_episode(self, first_id, count, last, severity):
        values = {'episode_id': first_id, 'occurrences': count, 'last_raised_at': last, 'worst_severity': severity}
        changed = {
            name: value for name, value in values.items()
            if (self.episode_id.id if name == 'episode_id' else self[name]) != value}
        if changed:
            self.write(changed)
