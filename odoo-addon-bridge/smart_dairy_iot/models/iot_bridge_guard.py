# Who may say from which source a record comes, and in which revision: the connector alone.
from odoo import api, models
from odoo.exceptions import AccessError

from .iot_bridge_mixin import KEY_FIELDS


class IotBridgeMixin(models.AbstractModel):
    _inherit = 'iot.bridge.mixin'

    @api.model
    def _is_connector(self):
        return self.env.su or self.env.user.has_group('smart_dairy_iot.group_connector')

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        # Afterwards, because values come from the context too (default_source).
        if not self._is_connector() and any(record._has_foreign_key() for record in records):
            raise AccessError(self.env._("Only the connector says from which source a record comes, and in which revision."))
        return records

    def write(self, vals):
        if not KEY_FIELDS.isdisjoint(vals) and not self._is_connector():
            raise AccessError(self.env._("Only the connector says from which source a record comes, and in which revision."))
        return super().write(vals)

    def _has_foreign_key(self):
        """Whether this record, just made by a person, says that it comes from a source."""
        return bool(self.source or self.source_id or self.revision or self.content_hash)
