# A farm, an animal and a connector user, and records as the connector would send them.
from urllib.parse import urlsplit

from odoo.tests import TransactionCase, new_test_user
from odoo.tests.common import HOST, _super_send
from odoo.tools.misc import file_path

SOURCE = 'smart_dairy'
TAG = '050000000009001'


def milking(source_id='barn/m1/1', revision=1, **values):
    """A complete milking record; pass a key as None to leave its value out."""
    return {
        'source': SOURCE, 'source_id': source_id, 'revision': revision, 'farm': 'barn', 'device_uid': 'm1',
        'device_type': 'milk_meter', 'rfid_tag': TAG, 'animal_ref': None, 'stall': '3',
        'start_datetime': '2026-05-01 04:00:00', 'end_datetime': '2026-05-01 04:06:30', 'duration_seconds': 390,
        'yield_kg': 12.345, 'average_flow': 1.9, 'peak_flow': 3.4, 'conductivity': 5.1, 'milk_temperature': 37.9,
        'fat_percentage': 3.9, 'protein_percentage': 3.3, 'lactose_percentage': 4.7, 'somatic_cell_count': 150000,
        'blood': 0, 'vacuum_pressure': 42.0, 'pulsation_rate': 60, 'quality_grade': 'A', 'expected_yield_kg': 12.0,
        'is_abnormal': False, 'abnormal_percent': 30, 'expected_days': 30, 'expected_least': 1,
        'milking_of_day': 'morning', 'is_complete': True, **values,
    }


def run_migration(env, version):
    """Run the post-migrate script of ``version``."""
    path = file_path(f'smart_dairy_iot/migrations/{version}/post-migrate.py')
    names = {}
    with open(path, encoding='utf-8') as source:
        exec(compile(source.read(), path, 'exec'), names)  # noqa: S102 # pylint: disable=exec-used
    env.flush_all()
    names['migrate'](env.cr, version)
    env.invalidate_all()


class BridgeCase(TransactionCase):

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        # Odoo's own handler cannot take two time-outs (connect, read).
        if urlsplit(r.url).hostname == HOST:
            return _super_send(s, r, **kw)
        return super()._request_handler(s, r, **kw)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'Barn', 'code': 'barn'})
        cls.cow, cls.other_cow = cls.env['farm.animal'].create([
            {'name': 'Bella', 'farm_id': cls.farm.id, 'rfid_tag': TAG, 'ear_tag': 'B-1'},
            {'name': 'Daisy', 'farm_id': cls.farm.id, 'rfid_tag': '050000000009002', 'ear_tag': 'B-2'},
        ])
        cls.connector = new_test_user(cls.env, 'test_connector', 'smart_dairy_iot.group_connector')
        cls.staff = new_test_user(cls.env, 'test_staff', 'smart_dairy_farm.group_farm_user')
        cls.Session = cls.env['iot.milk.session'].with_user(cls.connector)
        cls.Device = cls.env['iot.device'].with_user(cls.connector)
        cls.Alert = cls.env['iot.alert'].with_user(cls.connector)

    def upsert(self, *records, model='Session'):
        return getattr(self, model).upsert_batch(list(records))

    def status(self, *records, model='Session'):
        return [answer['status'] for answer in self.upsert(*records, model=model)]

    def session(self, source_id='barn/m1/1'):
        return self.env['iot.milk.session'].search([('source', '=', SOURCE), ('source_id', '=', source_id)])


class RegistryCase(BridgeCase):
    """With a manager of the farm, a collar on it, and a second farm."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, 'registry_manager', 'smart_dairy_farm.group_farm_manager')
        cls.collar = cls.env['iot.device'].create({
            'name': 'Collar 1', 'device_uid': 'c1', 'device_type': 'collar', 'farm_id': cls.farm.id})
        cls.other_farm = cls.env['farm.farm'].create({'name': 'Hill', 'code': 'hill'})
