# The Synchronisation screen: what waits for Odoo at the connector, fetched when it opens. Nothing of it is kept.
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

KIND_LABELS = {'device': _lt("Device"), 'milk_session': _lt("Milking"), 'alert': _lt("Alert"), 'command': _lt("Command")}


class IotSync(models.TransientModel):
    _name = 'iot.sync'
    _description = 'Synchronisation'

    problem = fields.Char(readonly=True)
    fetched_at = fields.Datetime(readonly=True)
    pending = fields.Integer(string='Waiting Records', readonly=True)
    parked = fields.Integer(string='Parked Records', readonly=True, help="Records that Odoo refused, with the reason below.")
    oldest = fields.Char(string='Oldest Waits', readonly=True)
    key_expires = fields.Datetime(string='API Key Ends', readonly=True)
    key_warning = fields.Char(readonly=True)
    kind_ids = fields.One2many('iot.sync.kind', 'sync_id', string='Kinds', readonly=True)
    parked_ids = fields.One2many('iot.sync.parked', 'sync_id', readonly=True)

    @api.depends_context('lang')
    def _compute_display_name(self):
        self.display_name = self.env._("Synchronisation")

    @api.model
    def action_open(self):
        """Fetch everything anew and show it. A connector that is away is told on the screen, not by an error."""
        sync = self.create(self._fetch())
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Synchronisation"), 'res_model': self._name,
            'res_id': sync.id, 'view_mode': 'form', 'views': [(False, 'form')], 'target': 'current',
        }

    @api.model
    def _fetch(self):
        Connector = self.env['iot.connector']
        values = {
            'fetched_at': fields.Datetime.now(), 'key_expires': Connector._key_expires(),
            'key_warning': Connector._key_warning(),
        }
        try:
            kinds = Connector.call('outbox/summary')['kinds']
            parked = Connector.call('outbox/parked', {'limit': 200})['records']
            return {**values, **self._counted(kinds), 'parked_ids': [
                fields.Command.create(self._parked_values(record)) for record in parked]}
        except UserError as error:
            return {**values, 'problem': str(error.args[0])}
        except (KeyError, TypeError, ValueError):
            return {**values, 'problem': self.env._("The connector's answer is not understood: update it, or the addon.")}

    @api.model
    def _counted(self, kinds):
        ages = [kind['oldest_pending_s'] for kind in kinds if kind['oldest_pending_s'] is not None]
        return {
            'pending': sum(kind['pending'] for kind in kinds), 'parked': sum(kind['parked'] for kind in kinds),
            'oldest': self._duration(max(ages)) if ages else False,
            'kind_ids': [fields.Command.create({
                'kind': kind['kind'], 'pending': kind['pending'], 'parked': kind['parked'],
                'oldest': kind['oldest_pending_s'] is not None and self._duration(kind['oldest_pending_s']),
            }) for kind in kinds],
        }

    @api.model
    def _duration(self, seconds):
        minutes, seconds = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return self.env._("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
        return self.env._("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=seconds)

    @api.model
    def _parked_values(self, record):
        since = record.get('pending_since')
        return {
            'outbox_id': str(record['id']), 'kind': record['kind'], 'source_ref': record['source_id'],
            'error': record.get('error'), 'attempts': record.get('attempts') or 0,
            'since': since and datetime.fromisoformat(since).replace(tzinfo=None, microsecond=0),
        }

    def action_refresh(self):
        return self.action_open()

    def action_retry_all(self):
        return self.parked_ids.action_retry()

    def action_rotate_key(self):
        """Let the connector fetch a new key. The old one works for another hour, so nothing is lost in between."""
        self.env['iot.connector'].call('key/rotate', {}, timeout_s=10)
        return self.action_open()


class IotSyncLabel(models.AbstractModel):
    _name = 'iot.sync.label'
    _description = 'Kind of Record by its Name for People'

    kind = fields.Char(readonly=True)
    kind_label = fields.Char(string='Kind', compute='_compute_kind_label')

    @api.depends('kind')
    @api.depends_context('lang')
    def _compute_kind_label(self):
        for row in self:
            label = KIND_LABELS.get(row.kind)
            row.kind_label = self.env._(label) if label else row.kind


class IotSyncKind(models.TransientModel):
    _name = 'iot.sync.kind'
    _inherit = ['iot.sync.label']
    _description = 'Synchronisation of a Kind of Record'

    sync_id = fields.Many2one('iot.sync', required=True, ondelete='cascade')
    pending = fields.Integer(string='Waiting', readonly=True)
    parked = fields.Integer(readonly=True)
    oldest = fields.Char(string='Oldest Waits', readonly=True)


class IotSyncParked(models.TransientModel):
    _name = 'iot.sync.parked'
    _inherit = ['iot.sync.label']
    _description = 'Parked Record'

    sync_id = fields.Many2one('iot.sync', required=True, ondelete='cascade')
    # Text: the connector's numbers may be longer than a number here.
    outbox_id = fields.Char(readonly=True)
    source_ref = fields.Char(string='Record', readonly=True)
    error = fields.Text(string='Reason', readonly=True)
    attempts = fields.Integer(readonly=True)
    since = fields.Datetime(string='Waits since', readonly=True)

    def action_retry(self):
        return self._decide('outbox/retry')

    def action_ignore(self):
        return self._decide('outbox/ignore')

    def _decide(self, path):
        if self:
            self.env['iot.connector'].call(path, {'ids': [int(row.outbox_id) for row in self]})
        return self.env['iot.sync'].action_open()
