# The connector's API key: when it ends, a new one while the old still works, and a warning two weeks before.
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from .iot_bridge_setup import CONNECTOR_LOGIN, KEY_NAME
from .iot_connector import OWN_DATABASE_PARAMETER

WARN_BEFORE = timedelta(days=14)
# The connector may be restarted, or run twice, between getting the new key and using it.
GRACE = timedelta(hours=1)


class IotConnector(models.AbstractModel):
    _inherit = 'iot.connector'

    @api.model
    def key_info(self):
        """``{"expires", "database"}``: when the connector's key ends, or False, and which database this is; for the connector
        only. A copy of a database has another UUID than the original."""
        self._check_is_connector()
        return {
            'expires': self._as_text(self._key_expires()), 'database': self._parameter(OWN_DATABASE_PARAMETER)}

    @api.model
    def rotate_key(self):
        """``{"api_key", "expires"}``: a new key for the connector that asks. The one it asked with works for another hour."""
        self._check_is_connector()
        self._check_meant()
        user = self.env.user
        days = max(user.all_group_ids.mapped('api_key_duration'))
        # A minute of slack: the limit is checked against a clock that has gone on.
        expires = fields.Datetime.now() + timedelta(days=days, minutes=-1)
        self.env.cr.execute(SQL(
            """UPDATE res_users_apikeys
                  SET expiration_date = LEAST(expiration_date, (now() AT TIME ZONE 'UTC') + %s)
                WHERE user_id = %s AND name = %s""", GRACE, user.id, KEY_NAME))
        key = self.env['res.users.apikeys']._generate('rpc', KEY_NAME, expires)
        return {'api_key': key, 'expires': self._as_text(expires)}

    def _check_is_connector(self):
        if not self.env.user.has_group('smart_dairy_iot.group_connector'):
            raise AccessError(self.env._("Only the connector has this key."))

    @staticmethod
    def _as_text(moment):
        return moment and fields.Datetime.to_string(moment)

    @api.model
    def _key_expires(self):
        """When the connector's key ends; False when there is none, or one without an end."""
        # sudo: IoT administrators see when the key ends, but not the keys of other people
        keys = self.env['res.users.apikeys'].sudo().search([('user_id.login', '=', CONNECTOR_LOGIN)])
        ends = (keys.filtered(lambda key: key.name == KEY_NAME) or keys).mapped('expiration_date')
        return max(ends) if ends and all(ends) else False

    @api.model
    def _key_warning(self):
        """A sentence when the key ends soon, else False."""
        expires = self._key_expires()
        if not expires or expires > fields.Datetime.now() + WARN_BEFORE:
            return False
        return self.env._(
            "The connector's API key ends on %s. Press Rotate Key under Smart Dairy / Synchronisation.",
            fields.Date.to_string(expires.date()))

    @api.model
    def _cron_warn_of_key(self):
        """One activity for each IoT administrator while the key ends soon; none any more once it has been renewed."""
        user = self.env['res.users'].with_context(active_test=False).search([('login', '=', CONNECTOR_LOGIN)])
        kind = self.env.ref('smart_dairy_iot.mail_activity_type_key')
        if not user:
            return
        partner = user.partner_id
        open_ones = self.env['mail.activity'].search([
            ('res_model', '=', 'res.partner'), ('res_id', '=', partner.id), ('activity_type_id', '=', kind.id)])
        warning = self._key_warning()
        if not warning:
            open_ones.unlink()
            return
        people = self.env.ref('smart_dairy_iot.group_iot_admin').all_user_ids.filtered(
            lambda person: person.active and not person.share) - self.env.ref('base.user_root')
        for person in people - open_ones.user_id:
            partner.activity_schedule(
                'smart_dairy_iot.mail_activity_type_key', self._key_expires().date(), note=warning, user_id=person.id)
