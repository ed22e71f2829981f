# A record that the connector follows: changes are announced after the commit, deletions leave a tombstone.
import json

from odoo import api, models


class IotPulledMixin(models.AbstractModel):
    _name = 'iot.pulled.mixin'
    _description = 'Record Followed by the Connector'

    # Name of the kind in iot.connector.pull, and the fields that the connector wants to know of.
    _pull_kind = None
    _pull_fields = frozenset()
    # Column with the time of the last change that matters to the connector.
    _pull_moment = 'write_date'

    def _pull_key(self):
        """Natural key of this record, as a dict."""
        return {}

    def _pull_values(self):
        """What the connector gets of this record, in the names of its own records; without id, write_date and active."""
        return {}

    def _is_pulled_field(self, vals):
        return not self._pull_fields.isdisjoint(vals)

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._announce()
        return records

    def write(self, vals):
        answer = super().write(vals)
        if self._is_pulled_field(vals):
            self._announce()
        return answer

    @api.ondelete(at_uninstall=False)
    def _leave_tombstones(self):
        # sudo: who may delete an animal need not be allowed to write tombstones, and must not be able to forget one
        self.env['iot.connector.tombstone'].sudo().create([
            {'kind': record._pull_kind, 'res_id': record.id, 'natural_key': json.dumps(record._pull_key()),
             'company_id': record.company_id.id}
            for record in self
        ])
        self._announce()

    def _announce(self):
        # What the connector wrote itself is no news to it.
        if self and not self.env.user.has_group('smart_dairy_iot.group_connector'):
            self.env['iot.connector']._notify(self._pull_kind, self.ids)
