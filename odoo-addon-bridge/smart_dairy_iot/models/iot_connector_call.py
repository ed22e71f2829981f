# What this Odoo asked the connector, and how it went. Kept for 90 days.
from datetime import timedelta

from odoo import api, fields, models

KEPT_FOR = timedelta(days=90)


class IotConnectorCall(models.Model):
    _name = 'iot.connector.call'
    _description = 'Call to the Connector'
    _order = 'id desc'
    _rec_name = 'path'

    path = fields.Char(readonly=True, required=True)
    user_id = fields.Many2one('res.users', readonly=True, index=True, ondelete='set null')
    res_model = fields.Char(string='Model', readonly=True)
    res_id = fields.Many2oneReference(string='Record', model_field='res_model', readonly=True)
    status = fields.Selection(
        [('ok', 'Answered'), ('refused', 'Refused'), ('failed', 'Failed'), ('unreachable', 'No Answer')], readonly=True,
        required=True)
    duration_ms = fields.Integer(string='Duration (ms)', readonly=True, aggregator='avg')
    error = fields.Char(readonly=True)
    create_date = fields.Datetime(string='Time', readonly=True, index=True)

    @api.autovacuum
    def _gc_calls(self):
        limit = fields.Datetime.now() - KEPT_FOR
        self.search([('create_date', '<', limit)], limit=100_000).unlink()
