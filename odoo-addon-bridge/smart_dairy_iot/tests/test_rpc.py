# The connector's way in: integration user, API key, JSON-2 and the older transports.
import json
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import milking


@tagged('-at_install', 'post_install')
class TestRpc(HttpCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'Barn', 'code': 'barn'})
        cls.issued = cls.env['iot.bridge.setup']._issue_connector_key()

    def post(self, path, body, key=None):
        headers = {'Content-Type': 'application/json', 'Authorization': f"bearer {key or self.issued['api_key']}"}
        return self.url_open(f'/json/2/{path}', data=json.dumps(body), headers=headers)

    def keys(self):
        return self.env['res.users.apikeys'].search([('user_id.login', '=', 'smart_dairy_connector')])

    def test_upsert_over_json2(self):
        response = self.post('iot.milk.session/upsert_batch', {'records': [milking('a'), milking('b', quality_grade='D')]})
        self.assertEqual(response.status_code, 200)
        answers = response.json()
        self.assertEqual([answer['status'] for answer in answers], ['created', 'error'])
        session = self.env['iot.milk.session'].browse(answers[0]['id'])
        self.assertEqual((session.source_id, session.yield_kg, session.create_uid.login),
                         ('a', 12.345, 'smart_dairy_connector'))

    def test_null_stays_null_over_json2(self):
        [answer] = self.post('iot.milk.session/upsert_batch', {'records': [milking('n', fat_percentage=None)]}).json()
        [read] = self.post('iot.milk.session/read', {'ids': [answer['id']], 'fields': ['fat_percentage', 'blood']}).json()
        self.assertEqual((read['fat_percentage'], read['blood']), (False, 0.0))

    @mute_logger('odoo.http')
    def test_what_the_key_cannot_do(self):
        for path, body, status in (
            ('iot.milk.session/unlink', {'ids': [1]}, 403),
            ('res.partner/search_read', {'domain': []}, 403),
            ('res.users/search_read', {'domain': []}, 403),
            ('farm.farm/write', {'ids': self.farm.ids, 'vals': {'name': 'x'}}, 403),
            ('farm.animal/create', {'vals_list': [{'name': 'x'}]}, 403),
            ('iot.bridge.setup/_issue_connector_key', {}, 403),
            ('iot.milk.session/upsert_batch', {'wrong': []}, 422),
        ):
            with self.subTest(path=path):
                self.assertEqual(self.post(path, body).status_code, status)
        self.assertEqual(self.post('iot.milk.session/search_count', {'domain': []}, key='wrong').status_code, 401)

    @mute_logger('odoo.http', 'odoo.addons.base.models.res_users')
    def test_a_new_key_replaces_the_old_one(self):
        old = self.issued['api_key']
        other = self.env['res.users.apikeys'].with_user(self.keys().user_id)._generate(
            'rpc', 'made by hand', fields.Datetime.now() + timedelta(days=1))
        new = self.env['iot.bridge.setup']._issue_connector_key()['api_key']
        count = {'domain': [('source', '=', 'nowhere')]}
        statuses = [self.post('iot.milk.session/search_count', count, key).status_code for key in (old, new, other)]
        self.assertEqual(statuses, [401, 200, 200])
        self.assertEqual(len(self.env['res.users'].search([('login', '=', 'smart_dairy_connector')])), 1)

    def test_the_key_expires_with_the_group(self):
        left = fields.Datetime.to_datetime(self.issued['expires']) - fields.Datetime.now()
        self.assertTrue(timedelta(days=364) < left <= timedelta(days=365))
        self.assertEqual(fields.Datetime.to_string(self.keys().expiration_date), self.issued['expires'])

    def test_a_user_that_was_changed_is_repaired(self):
        user = self.keys().user_id
        user.active = False
        user.group_ids += self.env.ref('smart_dairy_farm.group_farm_manager')
        self.env['iot.bridge.setup']._issue_connector_key()
        self.assertTrue(user.active)
        self.assertEqual(user.group_ids, self.env.ref('smart_dairy_iot.group_connector'))

    @mute_logger('odoo.addons.rpc.controllers.xmlrpc', 'odoo.addons.rpc.controllers.jsonrpc', 'odoo.http')
    def test_the_older_transports(self):
        db, login, key = self.env.cr.dbname, self.issued['login'], self.issued['api_key']
        uid = self.xmlrpc_common.authenticate(db, login, key, {})
        self.assertTrue(uid)
        record = {name: value for name, value in milking('x').items() if value is not None}
        [answer] = self.xmlrpc_object.execute_kw(db, uid, key, 'iot.milk.session', 'upsert_batch', [[record]])
        self.assertEqual(answer['status'], 'created')
        body = {'jsonrpc': '2.0', 'method': 'call', 'params': {
            'service': 'object', 'method': 'execute_kw',
            'args': [db, uid, key, 'iot.milk.session', 'upsert_batch', [[milking('x')]]]}}
        response = self.url_open('/jsonrpc', data=json.dumps(body), headers={'Content-Type': 'application/json'})
        self.assertEqual(response.json()['result'][0]['status'], 'unchanged')
