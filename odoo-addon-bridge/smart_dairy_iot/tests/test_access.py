# Who may do what with devices, milkings and alerts, as one table, and the walls between companies.
from odoo.addons.smart_dairy_farm.tests.access import GROUPS as FARM_GROUPS, check_matrix, check_no_model_is_forgotten
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import BridgeCase, milking

GROUPS = {
    **FARM_GROUPS,
    'iot_admin': 'smart_dairy_iot.group_iot_admin',
    'connector': 'smart_dairy_iot.group_connector',
}
EXPECTED = {
    'iot.device': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwc', 'iot_admin': 'rwcu', 'connector': 'rwc'},
    'iot.milk.session': {
        'nobody': '', 'user': 'rw', 'vet': 'rw', 'manager': 'rwc', 'iot_admin': 'rwcu', 'connector': 'rwc'},
    'iot.alert': {'nobody': '', 'user': 'rw', 'vet': 'rw', 'manager': 'rw', 'iot_admin': 'rwcu', 'connector': 'rwc'},
    'iot.location': {
        'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu', 'iot_admin': 'rwcu', 'connector': 'r'},
    'iot.device.tag': {
        'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu', 'iot_admin': 'rwcu', 'connector': ''},
    'iot.device.assignment': {
        'nobody': '', 'user': 'rwc', 'vet': 'rwc', 'manager': 'rwcu', 'iot_admin': 'rwcu', 'connector': 'r'},
    'iot.device.calibration': {
        'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwc', 'iot_admin': 'rwcu', 'connector': ''},
    'iot.threshold': {
        'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu', 'iot_admin': 'rwcu', 'connector': 'r'},
    'iot.device.command': {
        'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rc', 'iot_admin': 'rcu', 'connector': 'rwc'},
    'iot.device.command.wizard': {
        'nobody': '', 'user': '', 'vet': '', 'manager': 'rwc', 'iot_admin': 'rwc', 'connector': ''},
    'iot.device.command.known': {
        'nobody': '', 'user': '', 'vet': '', 'manager': 'rc', 'iot_admin': 'rc', 'connector': ''},
    'iot.device.accept': {
        'nobody': '', 'user': '', 'vet': '', 'manager': 'rwc', 'iot_admin': 'rwc', 'connector': ''},
    'iot.device.accept.line': {
        'nobody': '', 'user': '', 'vet': '', 'manager': 'rwc', 'iot_admin': 'rwc', 'connector': ''},
    'farm.feeding.order': {
        'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu', 'iot_admin': 'r', 'connector': ''},
    'farm.milk.collection': {
        'nobody': '', 'user': 'rwc', 'vet': 'rwc', 'manager': 'rwcu', 'iot_admin': 'rwc', 'connector': ''},
    'iot.connector.call': {
        'nobody': '', 'user': '', 'vet': '', 'manager': '', 'iot_admin': 'r', 'connector': ''},
    'iot.connector.tombstone': {
        'nobody': '', 'user': '', 'vet': '', 'manager': '', 'iot_admin': 'r', 'connector': 'r'},
    'iot.sync': {'nobody': '', 'user': '', 'vet': '', 'manager': '', 'iot_admin': 'rwcu', 'connector': ''},
    'iot.sync.kind': {'nobody': '', 'user': '', 'vet': '', 'manager': '', 'iot_admin': 'rwcu', 'connector': ''},
    'iot.sync.parked': {'nobody': '', 'user': '', 'vet': '', 'manager': '', 'iot_admin': 'rwcu', 'connector': ''},
    'iot.onboarding': {
        'nobody': '', 'user': '', 'vet': '', 'manager': 'rwc', 'iot_admin': 'rwc', 'connector': ''},
    'farm.farm': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu', 'iot_admin': 'r', 'connector': 'rc'},
    'farm.pen': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu', 'iot_admin': 'r', 'connector': 'r'},
    'farm.animal': {
        'nobody': '', 'user': 'rwc', 'vet': 'rwc', 'manager': 'rwcu', 'iot_admin': 'rwc', 'connector': 'r'},
    'farm.animal.tag': {
        'nobody': '', 'user': 'rwc', 'vet': 'rwc', 'manager': 'rwcu', 'iot_admin': 'rwc', 'connector': 'r'},
    'farm.breed': {'nobody': '', 'user': 'r', 'vet': 'r', 'manager': 'rwcu', 'iot_admin': 'r', 'connector': ''},
}


@tagged('-at_install', 'post_install')
class TestAccess(BridgeCase):

    def test_matrix(self):
        check_matrix(self, GROUPS, EXPECTED)
        check_no_model_is_forgotten(self, 'smart_dairy_iot', EXPECTED)

    def test_the_connector_reaches_nothing_else_that_matters(self):
        self.assertFalse(self.connector._is_internal())
        for model in ('res.partner', 'res.users', 'res.users.apikeys', 'ir.attachment', 'mail.message', 'ir.config_parameter'):
            with self.subTest(model=model):
                self.assertFalse(self.env[model].with_user(self.connector).browse().has_access('read'))

    def test_companies_do_not_see_each_other(self):
        south = self.env['res.company'].create({'name': 'South'})
        self.env['farm.farm'].create({'name': 'South Barn', 'code': 'south_barn', 'company_id': south.id})
        self.connector.company_ids |= south
        alerts = [
            {'source': 'smart_dairy', 'source_id': farm, 'revision': 1, 'farm': farm, 'alert_type': 'x', 'severity': 'low',
             'message': 'x', 'raised_at': '2026-05-01 00:00:00', 'device_uid': 'm1'} for farm in ('barn', 'south_barn')]
        self.assertEqual(self.status(milking('n'), milking('s', farm='south_barn')), ['created', 'created'])
        self.assertEqual(self.status(*alerts, model='Alert'), ['created', 'created'])
        self.assertEqual(self.session('s').company_id, south)
        for model in ('iot.device', 'iot.milk.session', 'iot.alert'):
            every = self.env[model].search([('farm_id.code', 'in', ('barn', 'south_barn'))])
            self.assertEqual(len(every), 2)
            theirs = every.filtered(lambda record: record.company_id == south)
            with self.subTest(model=model):
                self.assertEqual(every.with_user(self.staff).search([('id', 'in', every.ids)]), every - theirs)
                with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_rule'):
                    theirs.with_user(self.staff).read(['source_id'])

    def test_a_connector_of_one_company_cannot_change_the_other(self):
        south = self.env['res.company'].create({'name': 'South'})
        self.farm.company_id = south
        self.env['iot.milk.session'].create({
            'source': 'smart_dairy', 'source_id': 'theirs', 'revision': 1, 'farm_id': self.farm.id,
            'start_datetime': '2026-05-01 00:00:00'})
        theirs = self.session('theirs')
        # The company is part of the key: what it may not see is another record, and stays as it is.
        self.assertEqual(self.status(milking('theirs', revision=2, yield_kg=1)), ['created'])
        self.assertIs(theirs.yield_kg, False)
        self.assertEqual((self.session('theirs') - theirs).company_id, self.connector.company_id)

    def test_only_the_connector_brings_records(self):
        manager = new_test_user(self.env, 'forger', 'smart_dairy_farm.group_farm_manager')
        admin = new_test_user(self.env, 'repairer', 'smart_dairy_iot.group_iot_admin')
        for user in (manager, admin):
            for model in ('iot.milk.session', 'iot.device', 'iot.alert', 'iot.device.command'):
                with self.subTest(user=user.login, model=model), self.assertRaises(AccessError):
                    self.env[model].with_user(user).upsert_batch([])

    def test_nobody_forges_the_key_of_a_record(self):
        manager = new_test_user(self.env, 'forger', 'smart_dairy_farm.group_farm_manager')
        admin = new_test_user(self.env, 'repairer', 'smart_dairy_iot.group_iot_admin')
        forged = {'source': 'smart_dairy', 'source_id': 'barn/m1/1', 'revision': 999}
        made = {'farm_id': self.farm.id, 'start_datetime': '2026-05-01 04:00:00'}
        for user in (manager, admin):
            Session = self.env['iot.milk.session'].with_user(user)
            for name, value in forged.items():
                with self.subTest(user=user.login, name=name), self.assertRaisesRegex(AccessError, 'Only the connector'):
                    Session.create({**made, name: value})
                with self.subTest(user=user.login, name=name, by='context'), self.assertRaises(AccessError):
                    Session.with_context(**{f'default_{name}': value}).create(made)
        by_hand = self.env['iot.milk.session'].with_user(manager).create(made)
        for user in (self.staff, manager, admin):
            with self.assertRaisesRegex(AccessError, 'Only the connector'):
                by_hand.with_user(user).write(forged)
        device = {'name': 'm1', 'device_uid': 'm1', 'farm_id': self.farm.id}
        with self.assertRaises(AccessError):
            self.env['iot.device'].with_user(manager).create({**device, 'source': 'smart_dairy', 'source_id': 'barn/m1'})
        self.assertEqual(self.status(milking()), ['created'], 'the true one comes in')

    def test_the_records_of_a_farm_follow_it_to_another_company(self):
        self.upsert(milking())
        self.farm.company_id = self.env['res.company'].create({'name': 'New Owner'})
        self.assertEqual(self.session().company_id, self.farm.company_id)
        self.assertEqual(self.session().device_id.company_id, self.farm.company_id)
