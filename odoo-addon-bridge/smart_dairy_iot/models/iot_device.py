# A device of a farm: milk meter, sensor, collar, gateway. Found on the network, registered by a person.
import json
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools.measured import MeasuredFloat

DEVICE_TYPES = [
    ('milk_meter', 'Milk Meter'), ('temperature', 'Temperature Sensor'), ('collar', 'Activity Collar'),
    ('feeder', 'Feed Dispenser'), ('gate', 'Automated Gate'), ('waterer', 'Water Dispenser'), ('ph', 'pH Sensor'),
    ('flow', 'Flow Sensor'), ('humidity', 'Humidity Sensor'), ('pressure', 'Pressure Sensor'),
    ('rfid_reader', 'RFID Reader'), ('gateway', 'Gateway'), ('energy', 'Energy Meter'),
]
LIFE = [
    ('draft', 'Draft'), ('discovered', 'Discovered'), ('refused', 'Refused'), ('registered', 'Registered'),
    ('active', 'Active'), ('maintenance', 'Maintenance'), ('inactive', 'Inactive'), ('retired', 'Retired'),
]
# What the connector wants to know about a device. Writing one of these makes the device appear in its next pull.
DESCRIBING_FIELDS = frozenset((
    'active', 'name', 'device_uid', 'device_type', 'farm_id', 'state', 'stall', 'manufacturer', 'model', 'serial_number',
    'mac_address', 'profile', 'pen_id', 'location_id', 'gateway_id', 'config_json', 'calibration_date',
))

LOW_BATTERY = 20
ONLINE_FOR = timedelta(minutes=5)
DEGRADED_FOR = timedelta(hours=1)


class IotDevice(models.Model):
    _name = 'iot.device'
    _description = 'IoT Device'
    _inherit = ['iot.bridge.mixin', 'mail.thread', 'mail.activity.mixin']
    _order = 'farm_id, name, id'
    _rec_names_search = ['name', 'device_uid', 'serial_number']
    # Whoever may see a device may leave a note on it.
    _mail_post_access = 'read'

    _bridge_fields = (
        'device_uid', 'device_type', 'name', 'manufacturer', 'model', 'serial_number', 'firmware_version', 'profile',
        'stall', 'state', 'first_seen', 'last_seen', 'mac_address', 'ip_address', 'battery_level', 'rssi', 'message_count',
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
        LIFE, string='Status', default='draft', required=True, tracking=True, index=True, copy=False,
        group_expand='_sorted_states',
        help="Discovered: the device talks, but nobody has accepted it yet.\nRefused: not ours; it stays refused however "
             "often it talks.\nRegistered: checked by a person.\n"
             "Active: in daily use.\nMaintenance: out of use for repair, alerts can be ignored.\n"
             "Inactive: switched off for now.\nRetired: gone for good.",
    )
    user_id = fields.Many2one(
        'res.users', string='Responsible', tracking=True, domain="[('share', '=', False)]",
        help="Who is reminded of calibration. Without one, the manager of the farm.")
    tag_ids = fields.Many2many('iot.device.tag', string='Groups')
    pen_id = fields.Many2one(
        'farm.pen', index='btree_not_null', ondelete='set null', domain="[('farm_id', '=', farm_id)]", tracking=True)
    location_id = fields.Many2one(
        'iot.location', index='btree_not_null', ondelete='restrict', domain="[('farm_id', '=', farm_id)]", tracking=True,
        help="Place or zone of the farm that the device watches.")
    gateway_id = fields.Many2one(
        'iot.device', index='btree_not_null', ondelete='restrict', tracking=True,
        domain="[('farm_id', '=', farm_id), ('device_type', '=', 'gateway'), ('id', '!=', id)]",
        help="Gateway that the device talks through.")
    child_ids = fields.One2many('iot.device', 'gateway_id', string='Devices behind')
    child_count = fields.Integer(string='Number of Devices behind', compute='_compute_child_count')
    stall = fields.Char(
        help="Milking stall or other place that the device is mounted at. A tag reader's tags count for "
             "these stalls only: A, or A, B, or * for every stall of the farm.")
    location_description = fields.Char(string='Where', help="Where to find it, such as Cooling Tank 1.")
    manufacturer = fields.Char()
    model = fields.Char()
    serial_number = fields.Char(copy=False)
    firmware_version = fields.Char(readonly=True, copy=False)
    mac_address = fields.Char(string='MAC Address', copy=False)
    ip_address = fields.Char(string='IP Address', readonly=True, copy=False)
    profile = fields.Char(
        copy=False, tracking=True, help="Device profile by which the connector reads the messages of this device and knows its "
        "commands: a file of config/profiles/ at the connector.")
    mqtt_topic = fields.Char(
        string='MQTT Topic', compute='_compute_mqtt_topic', help="Topic that the device publishes its data on.")
    first_seen = fields.Datetime(readonly=True, copy=False)
    last_seen = fields.Datetime(readonly=True, copy=False, help="When the connector last heard of the device.")
    connectivity = fields.Selection(
        [('online', 'Online'), ('degraded', 'Degraded'), ('offline', 'Offline')],
        compute='_compute_connectivity', search='_search_connectivity',
        help="Online: heard of within 5 minutes. Degraded: within the last hour. Offline: longer ago, or never.",
    )
    battery_level = MeasuredFloat(
        string='Battery (%)', readonly=True, copy=False, aggregator='min', help="Charge as the device last reported it.")
    battery_low = fields.Boolean(
        string='Low Battery', compute='_compute_battery_low', search='_search_battery_low', help="Charge below 20 %.")
    rssi = MeasuredFloat(
        string='Signal (dBm)', readonly=True, copy=False, aggregator='avg',
        help="Strength of the last radio signal. The closer to 0 the better; below -110 dBm messages get lost.")
    message_count = fields.Integer(
        string='Messages Received', readonly=True, copy=False, aggregator='sum', help="Messages that the connector has received.")
    config_json = fields.Text(
        string='Configuration', copy=True, help="Settings for the device as a JSON object, such as {\"interval_s\": 60}.")
    changed_at = fields.Datetime(
        string='Description Changed', readonly=True, copy=False,
        help="When something that the connector needs to know about the device was last changed.")
    note = fields.Html(string='Notes')
    milk_session_ids = fields.One2many('iot.milk.session', 'device_id', string='Milkings')
    milk_session_count = fields.Integer(string='Number of Milkings', compute='_compute_counts')
    alert_count = fields.Integer(string='Open Alerts', compute='_compute_counts')

    _uid_farm_uniq = models.UniqueIndex(
        '(farm_id, device_uid)', "Another device of this farm already has this device ID.")

    def _bridge_insert(self, entries):
        # Milkings and alerts discover devices too, in calls of their own.
        uids = defaultdict(list)
        for entry in entries:
            uids[entry.values['farm_id']].append(entry.values['device_uid'])
        for farm_id in sorted(uids):
            self.env['iot.bridge.resolver']._claim('iot.device', 'farm_id', farm_id, 'device_uid', uids[farm_id])
        return super()._bridge_insert(entries)

    @api.constrains('farm_id', 'pen_id', 'location_id', 'gateway_id')
    def _check_same_farm(self):
        for device in self:
            for place in (device.pen_id, device.location_id, device.gateway_id):
                if place and place.farm_id != device.farm_id:
                    raise ValidationError(self.env._(
                        "%(place)s is not on farm %(farm)s. Choose one of the device's own farm.",
                        place=place.display_name, farm=device.farm_id.display_name))

    @api.constrains('gateway_id')
    def _check_gateway(self):
        if self._has_cycle('gateway_id'):
            raise ValidationError(self.env._("A gateway cannot stand behind itself."))

    @api.constrains('config_json')
    def _check_config_json(self):
        for device in self.filtered('config_json'):
            try:
                settings = json.loads(device.config_json)
            except ValueError as error:
                raise ValidationError(self.env._(
                    "The configuration of %(device)s is not valid JSON: %(error)s", device=device.display_name,
                    error=str(error))) from error
            if not isinstance(settings, dict):
                raise ValidationError(self.env._(
                    "The configuration of %s must be a JSON object, such as {\"interval_s\": 60}.", device.display_name))

    @api.depends('battery_level')
    def _compute_battery_low(self):
        for device in self:
            device.battery_low = device.battery_level is not False and device.battery_level < LOW_BATTERY

    def _search_battery_low(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return [('battery_level', '<', LOW_BATTERY)] if True in value else [
            '|', ('battery_level', '=', False), ('battery_level', '>=', LOW_BATTERY)]

    @api.depends('child_ids')
    def _compute_child_count(self):
        counts = dict(self._read_group([('gateway_id', 'in', self.ids)], ['gateway_id'], ['__count']))
        for device in self:
            device.child_count = counts.get(device, 0)

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
            [('device_id', 'in', self.ids), ('state', '!=', 'resolved'), ('episode_id', '=', False)], ['device_id'], ['__count']))
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

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([{**vals, 'changed_at': self.env.cr.now()} for vals in vals_list])

    def write(self, vals):
        if not DESCRIBING_FIELDS.isdisjoint(vals):
            vals = {**vals, 'changed_at': self.env.cr.now()}
        return super().write(vals)

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
        self._move(('draft', 'discovered', 'refused'), 'registered')

    def action_refuse(self):
        """Not ours: the device stays refused, however often it talks."""
        self._move(('discovered',), 'refused')

    def action_activate(self):
        self._move(('registered', 'maintenance', 'inactive'), 'active')

    def action_maintenance(self):
        self._move(('registered', 'active', 'inactive'), 'maintenance')

    def action_deactivate(self):
        self._move(('registered', 'active', 'maintenance'), 'inactive')

    def action_retire(self):
        self._move(('draft', 'registered', 'active', 'maintenance', 'inactive'), 'retired')
        # What is gone sits on no animal.
        self.assignment_ids.filtered('is_current').action_end()

    def action_reset(self):
        self._move(('retired',), 'draft')

    def action_view_milkings(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_milk_session_action')
        return dict(action, domain=[('device_id', 'in', self.ids)], context={})

    def action_view_alerts(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_alert_action')
        return dict(action, domain=[('episode_id', '=', False), ('device_id', 'in', self.ids)], context={'search_default_open': 1})

    def action_view_children(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_device_action')
        return dict(action, domain=[('gateway_id', 'in', self.ids)], context={
            'default_gateway_id': self.id, 'default_farm_id': self.farm_id.id})
