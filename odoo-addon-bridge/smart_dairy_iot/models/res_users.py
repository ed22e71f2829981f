# Where people begin: staff in the parlour, the manager at the milkings, the veterinarian at the alerts.
from odoo import models

HOMES = (
    ('smart_dairy_farm.group_farm_manager', 'smart_dairy_iot.iot_milk_session_action'),
    ('smart_dairy_farm.group_veterinarian', 'smart_dairy_iot.iot_alert_action'),
    ('smart_dairy_iot.group_iot_admin', 'smart_dairy_iot.iot_device_action'),
    ('smart_dairy_farm.group_farm_user', 'smart_dairy_iot.iot_milk_session_action_parlour'),
)


class ResUsers(models.Model):
    _inherit = 'res.users'

    def _farm_home_action(self):
        for group, action in HOMES:
            if self.has_group(group) and (found := self.env.ref(action, raise_if_not_found=False)):
                return found
        return super()._farm_home_action()
