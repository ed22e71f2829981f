# Whoever has no home action of their own and works on the farm begins there, and not in Discuss.
from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = 'ir.http'

    def session_info(self):
        info = super().session_info()
        if info.get('is_internal_user') and not info.get('home_action_id'):
            info['home_action_id'] = self.env.user._farm_home_action().id or False
        return info
