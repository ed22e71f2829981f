# What people change in a milking stays to be seen: the administrator may mend a measurement, and everybody sees what it was.
from odoo import models


class IotMilkSession(models.Model):
    _name = 'iot.milk.session'
    _inherit = ['iot.milk.session', 'mail.thread']

    # Whoever may read a milking may remark on it.
    _mail_post_access = 'read'

    def _track_get_fields(self):
        # The connector writes without tracking; a person's change of whatever was measured, or of the animal, is noted.
        names = {*self._bridge_fields, 'animal_id', 'identification', 'farm_id', 'device_id'}
        return super()._track_get_fields() | (names & self.fields_get(names, attributes=()).keys())
