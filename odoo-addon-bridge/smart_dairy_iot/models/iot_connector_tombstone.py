# What was deleted here, so that the connector can forget it too. Kept for a year.
from datetime import timedelta

from odoo import api, fields, models

KEPT_FOR = timedelta(days=365)


class IotConnectorTombstone(models.Model):
    _name = 'iot.connector.tombstone'
    _description = 'Deleted Record for the Connector'
    _order = 'id desc'
    _rec_name = 'natural_key'

    kind = fields.Char(required=True, readonly=True)
    res_id = fields.Integer(required=True, readonly=True, aggregator=None)
    natural_key = fields.Char(readonly=True, help="Key of the record in messages, as JSON.")
    company_id = fields.Many2one('res.company', readonly=True, index=True, ondelete='cascade')

    @api.autovacuum
    def _gc_tombstones(self):
        limit = fields.Datetime.now() - KEPT_FOR
        self.search([('create_date', '<', limit)], limit=100_000).unlink()
