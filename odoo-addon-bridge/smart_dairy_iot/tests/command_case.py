# A dispenser, a manager and a connector that takes commands.
from odoo.tests import new_test_user

from .common import BridgeCase
from .fake_connector import fake_connector
from .test_connector import commit, in_this_transaction


class CommandCase(BridgeCase):

    def setUp(self):
        super().setUp()
        in_this_transaction(self)
        self.fake = self.enterContext(fake_connector(self.env))
        self.fake.answers['command/known'] = {'commands': [
            {'name': 'open', 'takes_value': False, 'min': None, 'max': None, 'unit': None},
            {'name': 'give_feed', 'takes_value': True, 'min': 0, 'max': 5, 'unit': 'kg'}]}
        self.fake.answers['command'] = lambda payload: (202, {
            'accepted': True, 'request_id': payload['request_id'], 'state': 'sent', 'expires_at': '2026-11-21T17:00:10.000Z'})
        self.manager = new_test_user(self.env, 'boss', 'smart_dairy_farm.group_farm_manager')
        self.device = self.env['iot.device'].create({
            'name': 'Dispenser', 'device_uid': 'feeder_1', 'device_type': 'feeder', 'farm_id': self.farm.id, 'state': 'active'})

    def wizard(self, user=None):
        action = self.device.with_user(user or self.manager).action_command()
        return self.env[action['res_model']].with_user(user or self.manager).browse(action['res_id'])

    def send(self, **values):
        wizard = self.wizard()
        wizard.write(values)
        command = self.env['iot.device.command'].browse(wizard.action_send()['res_id'])
        commit(self)
        return command

    def sent(self):
        return [payload for path, payload in self.fake.calls if path == 'command']

    def result(self, command, revision=1, **values):
        return self.env['iot.device.command'].with_user(self.connector).upsert_batch([{
            'source': 'smart_dairy', 'source_id': command.source_id, 'revision': revision, 'farm': 'barn',
            'device_uid': 'feeder_1', 'command': command.command, 'value': command.value or None, 'state': 'done', 'detail': None,
            'result_value': None, 'requested_at': '2026-11-21 17:00:00', 'expires_at': '2026-11-21 17:00:10',
            'finished_at': '2026-11-21 17:00:02', **values}])[0]

    def order(self, **values):
        return self.env['farm.feeding.order'].with_user(self.manager).create({
            'farm_id': self.farm.id, 'animal_id': self.cow.id, 'feed': 'Concentrate', 'amount_kg': 2.5,
            'device_id': self.device.id, **values})
