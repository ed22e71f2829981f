# What the connector may do with a device: bring new ones, take over those that people entered, fill gaps.
from odoo import models

# Before a person has taken charge of a device, its description follows what the network says.
UNTOUCHED_STATES = ('draft', 'discovered')
# What a person maintains once the device is registered; the network only fills gaps.
PERSONAL_FIELDS = ('name', 'device_type', 'manufacturer', 'model', 'serial_number', 'mac_address', 'stall', 'profile')


class IotDevice(models.Model):
    _inherit = 'iot.device'

    def _bridge_adopt(self, entries):
        """A device that a person entered before it talked for the first time becomes the connector's device."""
        if not entries:
            return
        found = {
            (device.farm_id.id, device.device_uid): device
            for device in self.search_fetch([
                ('farm_id', 'in', list({entry.values['farm_id'] for entry in entries})),
                ('device_uid', 'in', list({entry.values['device_uid'] for entry in entries})),
            ], ['farm_id', 'device_uid', 'source', 'source_id'])
        }
        for entry in entries:
            device = found.get((entry.values['farm_id'], entry.values['device_uid']))
            if device and device.source:
                entry.failed(f"device_uid: {device.device_uid!r} of farm {entry.values['farm']!r} already belongs to "
                             f"{device.source} record {device.source_id!r}")
            elif device:
                entry.current_id = device.id

    def _bridge_values(self, entry):
        values = super()._bridge_values(entry)
        if entry.current_id is None:
            values.setdefault('name', values['device_uid'])
            values.setdefault('state', 'discovered')
        return values

    def _bridge_changes(self, record, entry):
        # Unlike measurements, a device is partly a person's: nothing is cleared because a message leaves it out.
        values = self._bridge_values(entry)
        values.pop('company_id')  # follows the farm
        if record.farm_id.id == values['farm_id']:
            values.pop('farm_id')
        if record.state not in UNTOUCHED_STATES:
            values.pop('state', None)
            for name in PERSONAL_FIELDS:
                if record[name]:
                    values.pop(name, None)
        if record.first_seen and values.get('first_seen'):
            values['first_seen'] = min(record.first_seen, values['first_seen'])
        if record.last_seen and values.get('last_seen'):
            values['last_seen'] = max(record.last_seen, values['last_seen'])
        # A value that is there already would only look like a change, and be pulled back by the connector.
        return {name: value for name, value in values.items() if name == 'farm_id' or record[name] != value}
