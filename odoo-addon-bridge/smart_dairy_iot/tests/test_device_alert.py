# Devices and alerts are shared between the connector and people: who decides what.
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import SOURCE, BridgeCase, milking


def device(revision=1, **values):
    return {
        'source': SOURCE, 'source_id': 'barn/m1', 'revision': revision, 'farm': 'barn', 'device_uid': 'm1',
        'device_type': 'milk_meter', 'state': 'discovered', 'last_seen': '2026-05-01 04:00:00', **values,
    }


def alert(revision=1, **values):
    return {
        'source': SOURCE, 'source_id': 'barn/alert/1', 'revision': revision, 'farm': 'barn', 'alert_type': 'high_scc',
        'severity': 'high', 'state': 'new', 'message': 'SCC 520,000', 'raised_at': '2026-05-01 04:10:00', **values,
    }


@tagged('-at_install', 'post_install')
class TestDevice(BridgeCase):

    def found(self):
        return self.env['iot.device'].search([('farm_id', '=', self.farm.id), ('device_uid', '=', 'm1')])

    def test_first_talk(self):
        [answer] = self.upsert(device(), model='Device')
        self.assertEqual(answer['status'], 'created')
        self.assertEqual((self.found().name, self.found().state), ('m1', 'discovered'))
        self.assertEqual(self.found().mqtt_topic, 'dairy/barn/milk_meter/m1/data')

    def test_a_device_discovered_by_its_milking_is_the_same_device(self):
        self.upsert(milking())
        self.assertEqual(self.status(device(firmware_version='1.2'), model='Device'), ['updated'])
        self.assertEqual((len(self.found()), self.found().firmware_version), (1, '1.2'))

    def test_a_registered_device_stays_registered_and_keeps_its_name(self):
        self.upsert(device(name='Meter'), model='Device')
        self.found().write({'name': 'Left row, first'})
        self.found().action_register()
        self.upsert(device(2, name='Meter', stall='7', firmware_version='2.0'), model='Device')
        found = self.found()
        self.assertEqual((found.state, found.name, found.stall, found.firmware_version),
                         ('registered', 'Left row, first', '7', '2.0'))

    def test_seen_times_only_widen_and_nothing_is_cleared(self):
        self.upsert(device(first_seen='2026-05-01 03:00:00', serial_number='S1'), model='Device')
        self.upsert(device(2, first_seen='2026-05-01 03:30:00', last_seen='2026-04-01 00:00:00'), model='Device')
        found = self.found()
        self.assertEqual((str(found.first_seen), str(found.last_seen), found.serial_number),
                         ('2026-05-01 03:00:00', '2026-05-01 04:00:00', 'S1'))

    def test_a_device_entered_by_hand_is_adopted(self):
        mine = self.env['iot.device'].create({'name': 'My meter', 'device_uid': 'm1', 'farm_id': self.farm.id})
        mine.device_type = 'milk_meter'
        mine.action_register()
        [answer] = self.upsert(device(), model='Device')
        self.assertEqual((answer['status'], answer['id']), ('updated', mine.id))
        self.assertEqual((mine.source_id, mine.name, mine.state), ('barn/m1', 'My meter', 'registered'))
        [answer] = self.upsert(device(source_id='barn/other-key'), model='Device')
        self.assertEqual(answer['status'], 'error')
        self.assertIn("already belongs to smart_dairy record 'barn/m1'", answer['error'])

    def test_connectivity_and_its_search(self):
        now = fields.Datetime.now()
        devices = self.env['iot.device'].create([
            {'name': f'd{n}', 'device_uid': f'd{n}', 'farm_id': self.farm.id, 'last_seen': seen}
            for n, seen in enumerate((now, now - timedelta(minutes=6), now - timedelta(hours=2), False))])
        self.assertEqual(devices.mapped('connectivity'), ['online', 'degraded', 'offline', 'offline'])
        for state, expected in (('online', devices[0]), ('degraded', devices[1]), ('offline', devices[2:])):
            self.assertEqual(devices.search([('id', 'in', devices.ids), ('connectivity', '=', state)]), expected)
        self.assertEqual(
            devices.search([('id', 'in', devices.ids), ('connectivity', '!=', 'offline')]), devices[:2])

    def test_workflow(self):
        manager = new_test_user(self.env, 'dev_manager', 'smart_dairy_farm.group_farm_manager')
        self.upsert(device(device_type=None), model='Device')
        found = self.found().with_user(manager)
        with self.assertRaisesRegex(UserError, 'Choose the type'):
            found.action_register()
        found.device_type = 'milk_meter'
        with self.assertRaisesRegex(UserError, 'is Discovered'):
            found.action_activate()
        for step, state in (('register', 'registered'), ('activate', 'active'), ('maintenance', 'maintenance'),
                            ('activate', 'active'), ('deactivate', 'inactive'), ('retire', 'retired'), ('reset', 'draft')):
            getattr(found, f'action_{step}')()
            self.assertEqual(found.state, state)


@tagged('-at_install', 'post_install')
class TestAlert(BridgeCase):

    def found(self):
        return self.env['iot.alert'].search([('source_id', '=', 'barn/alert/1')])

    def test_references(self):
        self.upsert(milking())
        [answer] = self.upsert(alert(
            device_uid='m1', rfid_tag=self.cow.rfid_tag, milk_session='barn/m1/1', trigger_value=520000,
            threshold_value=400000, unit='cells/mL'), model='Alert')
        self.assertEqual(answer['status'], 'created')
        found = self.found()
        self.assertEqual((found.animal_id, found.milk_session_id, found.device_id.device_uid),
                         (self.cow, self.session(), 'm1'))
        self.assertEqual(found.display_name, 'High SCC: Bella')
        self.assertEqual((found.trigger_value, found.threshold_value), (520000, 400000))

    def test_unknown_references_do_not_keep_an_alert_away(self):
        [answer] = self.upsert(alert(rfid_tag='050000000000999', milk_session='nowhere'), model='Alert')
        self.assertEqual(answer['status'], 'created')
        self.assertFalse(self.found().animal_id or self.found().milk_session_id or self.found().device_id)

    def test_the_connector_leads_until_a_person_steps_in(self):
        self.upsert(alert(), model='Alert')
        self.upsert(alert(2, state='resolved', cleared_at='2026-05-01 05:00:00'), model='Alert')
        self.assertEqual(self.found().state, 'resolved')
        self.upsert(alert(3), model='Alert')
        self.assertEqual((self.found().state, self.found().cleared_at), ('new', False))

    def test_what_a_person_set_is_not_pulled_back(self):
        self.upsert(alert(), model='Alert')
        found = self.found().with_user(self.staff)
        found.action_acknowledge()
        self.upsert(alert(2, message='SCC 600,000'), model='Alert')
        self.assertEqual((found.state, found.message, found.state_user_id), ('acknowledged', 'SCC 600,000', self.staff))
        found.action_resolve()
        self.upsert(alert(3), model='Alert')
        self.assertEqual(found.state, 'resolved')
        found.action_reopen()
        self.upsert(alert(4, state='acknowledged'), model='Alert')
        self.assertEqual(found.state, 'new')
        self.upsert(alert(5, state='resolved'), model='Alert')
        self.assertEqual(found.state, 'resolved', 'new may become resolved')

    def test_people_say_what_becomes_of_an_alert_and_rewrite_nothing(self):
        self.upsert(alert(), model='Alert')
        manager = new_test_user(self.env, 'alert_manager', 'smart_dairy_farm.group_farm_manager')
        admin = new_test_user(self.env, 'alert_admin', 'smart_dairy_iot.group_iot_admin')
        forged = {'message': 'all well', 'severity': 'low', 'alert_type': 'x', 'trigger_value': 1, 'raised_at': False,
                  'animal_id': self.cow.id, 'state_user_id': manager.id, 'revision': 999, 'source_id': 'other'}
        for user in (self.staff, manager, admin):
            found = self.found().with_user(user)
            for name, value in forged.items():
                with self.subTest(user=user.login, name=name), self.assertRaises(AccessError):
                    found.write({name: value})
            found.write({'state': 'acknowledged', 'note': 'seen'})
            self.assertEqual(found.state_user_id, user)
        self.assertEqual(self.status(alert(2, message='SCC 600,000'), model='Alert'), ['updated'])
        self.assertEqual((self.found().message, self.found().note), ('SCC 600,000', 'seen'))

    def test_a_revision_without_state_leaves_the_state(self):
        self.upsert(alert(state='acknowledged'), model='Alert')
        self.upsert(alert(2, state=None), model='Alert')
        self.assertEqual(self.found().state, 'acknowledged')
