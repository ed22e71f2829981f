# What the connector gets to know of devices, the animals that carry them, and limits.
import json

from odoo import models

from .iot_device import DESCRIBING_FIELDS


def number(value):
    return None if value is False else value


class IotDevice(models.Model):
    _name = 'iot.device'
    _inherit = ['iot.device', 'iot.pulled.mixin']

    _pull_kind = 'device'
    _pull_fields = DESCRIBING_FIELDS
    # Not write_date: the connector's own messages write last_seen, and would come back to it for ever.
    _pull_moment = 'changed_at'

    def _pull_key(self):
        return {'farm': self.farm_id.code, 'device_uid': self.device_uid}

    def _pull_values(self):
        return {
            **self._pull_key(), 'source': self.source, 'source_id': self.source_id, 'name': self.name,
            'device_type': self.device_type, 'state': self.state, 'stall': self.stall, 'profile': self.profile,
            'manufacturer': self.manufacturer, 'model': self.model, 'serial_number': self.serial_number,
            'mac_address': self.mac_address, 'pen': self.pen_id.name, 'location': self.location_id.complete_name,
            'gateway_uid': self.gateway_id.device_uid, 'config': json.loads(self.config_json or '{}'),
            'calibration_date': self.calibration_date and self.calibration_date.isoformat(),
            'next_calibration_date': self.next_calibration_date and self.next_calibration_date.isoformat(),
        }


class IotDeviceAssignment(models.Model):
    _name = 'iot.device.assignment'
    _inherit = ['iot.device.assignment', 'iot.pulled.mixin']

    _pull_kind = 'assignment'
    _pull_fields = frozenset(('device_id', 'animal_id', 'valid_from', 'valid_to'))

    def _pull_key(self):
        return {'farm': self.farm_id.code, 'device_uid': self.device_id.device_uid}

    def _pull_values(self):
        return {
            **self._pull_key(), 'animal_id': self.animal_id.id, 'rfid_tag': self.animal_id.rfid_tag,
            'ear_tag': self.animal_id.ear_tag, 'valid_from': str(self.valid_from),
            'valid_to': self.valid_to and str(self.valid_to),
        }


class IotThreshold(models.Model):
    _name = 'iot.threshold'
    _inherit = ['iot.threshold', 'iot.pulled.mixin']

    _pull_kind = 'threshold'
    _pull_fields = frozenset((
        'active', 'farm_id', 'device_type', 'device_id', 'metric', 'low', 'high', 'severity'))

    def _pull_key(self):
        return {'farm': self.farm_id.code, 'metric': self.metric, 'device_uid': self.device_id.device_uid}

    def _pull_values(self):
        return {
            **self._pull_key(), 'device_type': self.device_type, 'low': number(self.low), 'high': number(self.high),
            'unit': self.unit, 'severity': self.severity,
        }
