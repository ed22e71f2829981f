# A device of a farm: milk meter, sensor, collar, gateway. Found on the network, registered by a person.
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

DEVICE_TYPES = [
    ('milk_meter', 'Milk Meter'), ('temperature', 'Temperature Sensor'), ('collar', 'Activity Collar'),
    ('feeder', 'Feed Dispenser'), ('gate', 'Automated Gate'), ('waterer', 'Water Dispenser'), ('ph', 'pH Sensor'),
    ('flow', 'Flow Sensor'), ('humidity', 'Humidity Sensor'), ('pressure', 'Pressure Sensor'),
    ('rfid_reader', 'RFID Reader'), ('gateway', 'Gateway'), ('energy', 'Energy Meter'),
]
# Before a person has taken charge of a device, its description follows what the network says.
UNTOUCHED_STATES = ('draft', 'discovered')
# What a person maintains once the device is registered; the network only fills gaps.
PERSONAL_FIELDS = ('name', 'device_type', 'manufacturer', 'model', 'serial_number', 'stall')

ONLINE_FOR = timedelta(minutes=5)
DEGRADED_FOR = timedelta(hours=1)


class IotDevice(models.Model):
    _name = 'iot.device'
    _description = 'IoT Device'
    _inherit = ['iot.bridge.mixin', 'mail.thread', 'mail.activity.mixin']
    _order = 'farm_id, name, id'
    _rec_names_search = ['name', 'device_uid', 'serial_number']

    _bridge_fields = (
        'device_uid', 'device_type', 'name', 'manufacturer', 'model', 'serial_number', 'firmware_version', 'profile',
        'stall', 'state', 'first_seen', 'last_seen',
    )
    _bridge_required = ('farm', 'device_uid')
    _bridge_race_indexes = ('bridge_key', 'uid_farm_uniq')

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    device_uid = fields.Char(
        string='Device ID', required=True, index=True, copy=False, tracking=True,
        help="Identifier that the device uses in its messages, unique on its farm.",
    )
    device_type = fields.Selection(DEVICE_TYPES, string='Type', tracking=True, index=True)
    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='restrict', tracking=True)
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    state = fields.Selection(
        [('draft', 'Draft'), ('discovered', 'Discovered'), ('registered', 'Registered'), ('active', 'Active'),
         ('maintenance', 'Maintenance'), ('inactive', 'Inactive'), ('retired', 'Retired')],
        string='Status', default='draft', required=True, tracking=True, index=True, copy=False,
        group_expand='_sorted_states',
        help="Discovered: the device talks, but nobody has registered it yet.\nRegistered: checked by a person.\n"
             "Active: in daily use.\nMaintenance: out of use for repair, alerts can be ignored.\n"
             "Inactive: switched off for now.\nRetired: gone for good.",
    )
    stall = fields.Char(help="Milking stall or other place that the device is mounted at.")
    location_description = fields.Char(string='Location', help="Where to find it, such as Cooling Tank 1.")
    manufacturer = fields.Char()
    model = fields.Char()
    serial_number = fields.Char(copy=False)
    firmware_version = fields.Char(readonly=True, copy=False)
    profile = fields.Char(
        readonly=True, copy=False, help="Device profile by which the connector reads the messages of this device.")
    mqtt_topic = fields.Char(
        string='MQTT Topic', compute='_compute_mqtt_topic', help="Topic that the device publishes its data on.")
    first_seen = fields.Datetime(readonly=True, copy=False)
    last_seen = fields.Datetime(readonly=True, copy=False, help="When the connector last heard of the device.")
    connectivity = fields.Selection(
        [('online', 'Online'), ('degraded', 'Degraded'), ('offline', 'Offline')],
        compute='_compute_connectivity', search='_search_connectivity',
        help="Online: heard of within 5 minutes. Degraded: within the last hour. Offline: longer ago, or never.",
    )
    note = fields.Html(string='Notes')
    milk_session_ids = fields.One2many('iot.milk.session', 'device_id', string='Milkings')
    milk_session_count = fields.Integer(string='Number of Milkings', compute='_compute_counts')
    alert_count = fields.Integer(string='Open Alerts', compute='_compute_counts')

    _uid_farm_uniq = models.UniqueIndex(
        '(farm_id, device_uid)', "Another device of this farm already has this device ID.")

    @api.depends('farm_id.code', 'device_type', 'device_uid')
    def _compute_mqtt_topic(self):
        for device in self:
            parts = (device.farm_id.code, device.device_type, device.device_uid)
            device.mqtt_topic = f"dairy/{'/'.join(parts)}/data" if all(parts) else False

    @api.depends('last_seen')
    def _compute_connectivity(self):
        now = fields.Datetime.now()
        for device in self:
            silence = now - device.last_seen if device.last_seen else None
            if silence is None or silence >= DEGRADED_FOR:
                device.connectivity = 'offline'
            else:
                device.connectivity = 'online' if silence < ONLINE_FOR else 'degraded'

    def _search_connectivity(self, operator, value):
        if operator != 'in':
            return NotImplemented
        now = fields.Datetime.now()
        domains = {
            'online': [('last_seen', '>', now - ONLINE_FOR)],
            'degraded': [('last_seen', '<=', now - ONLINE_FOR), ('last_seen', '>', now - DEGRADED_FOR)],
            'offline': ['|', ('last_seen', '=', False), ('last_seen', '<=', now - DEGRADED_FOR)],
        }
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    def _compute_counts(self):
        milkings = dict(self.env['iot.milk.session']._read_group(
            [('device_id', 'in', self.ids)], ['device_id'], ['__count']))
        alerts = dict(self.env['iot.alert']._read_group(
            [('device_id', 'in', self.ids), ('state', '!=', 'resolved')], ['device_id'], ['__count']))
        for device in self:
            device.milk_session_count = milkings.get(device, 0)
            device.alert_count = alerts.get(device, 0)

    @api.depends('name', 'device_uid')
    def _compute_display_name(self):
        for device in self:
            named = device.name and device.name != device.device_uid
            device.display_name = f"{device.name} ({device.device_uid})" if named else device.device_uid

    @api.model
    def _sorted_states(self, states, domain):
        """The columns of the board: states in the order of a device's life, without empty ones."""
        return [name for name, _label in self._fields['state'].selection if name in states]

    # -- what people do ----------------------------------------------------------------------------

    def _move(self, allowed, state):
        for device in self:
            if device.state not in allowed:
                labels = dict(self._fields['state']._description_selection(self.env))
                raise UserError(self.env._(
                    "%(device)s is %(state)s. This step is possible from: %(allowed)s.", device=device.display_name,
                    state=labels[device.state], allowed=', '.join(labels[name] for name in allowed)))
        self.write({'state': state})

    def action_register(self):
        if untyped := self.filtered(lambda device: not device.device_type):
            raise UserError(self.env._("Choose the type of %s before registering it.", untyped[0].display_name))
        self._move(('draft', 'discovered'), 'registered')

    def action_activate(self):
        self._move(('registered', 'maintenance', 'inactive'), 'active')

    def action_maintenance(self):
        self._move(('registered', 'active', 'inactive'), 'maintenance')

    def action_deactivate(self):
        self._move(('registered', 'active', 'maintenance'), 'inactive')

    def action_retire(self):
        self._move(('draft', 'discovered', 'registered', 'active', 'maintenance', 'inactive'), 'retired')

    def action_reset(self):
        self._move(('retired',), 'draft')

    def action_view_milkings(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_milk_session_action')
        return dict(action, domain=[('device_id', 'in', self.ids)], context={})

    def action_view_alerts(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_alert_action')
        return dict(action, domain=[('device_id', 'in', self.ids)], context={'search_default_open': 1})

    # -- what the connector does -------------------------------------------------------------------

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
        if record.state not in UNTOUCHED_STATES:
            values.pop('state', None)
            for name in PERSONAL_FIELDS:
                if record[name]:
                    values.pop(name, None)
        if record.first_seen and values.get('first_seen'):
            values['first_seen'] = min(record.first_seen, values['first_seen'])
        if record.last_seen and values.get('last_seen'):
            values['last_seen'] = max(record.last_seen, values['last_seen'])
        return values
