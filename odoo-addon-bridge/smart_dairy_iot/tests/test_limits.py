# Limits: what has no effect is refused, and said why; the demo data keeps to it.
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import convert_file

from .common import RegistryCase, run_migration


@tagged('-at_install', 'post_install')
class TestLimits(RegistryCase):

    def test_limits(self):
        Limit = self.env['iot.threshold'].with_user(self.manager)
        limit = Limit.create({'farm_id': self.farm.id, 'metric': 'milk_temperature', 'low': 0, 'high': 4})
        self.assertEqual((limit.unit, limit.display_name), ('°C', 'Milk Temperature 0 – 4 °C'))
        limit.low = False
        self.env.invalidate_all()
        self.assertEqual((limit.low, limit.high), (False, 4))
        for values in ({'high': False}, {'low': 9}, {'device_id': self.env['iot.device'].create(
                {'name': 'h', 'device_uid': 'h', 'farm_id': self.other_farm.id}).id}):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                limit.write(values)

    def test_a_limit_without_effect_is_refused(self):
        Limit = self.env['iot.threshold'].with_user(self.manager)
        for values, reason in (
            ({'metric': 'temperature', 'high': 4}, 'A limit on Temperature would have no effect yet.*Milk Yield'),
            ({'metric': 'anything', 'high': 4}, 'A limit on Anything would have no effect yet'),
            ({'metric': 'milk_scc', 'high': 4, 'device_type': 'temperature'}, 'measured by milk meters, and not by Temperature Sensor'),
            ({'metric': 'milk_scc', 'high': 4, 'device_id': self.collar.id}, 'and not by Collar 1'),
            ({'metric': 'milk_yield_deviation', 'low': 4}, 'A lower limit on Deviation from the Expected Yield would have no effect'),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(ValidationError, reason):
                Limit.create({'farm_id': self.farm.id, **values})
        limit = Limit.create({'farm_id': self.farm.id, 'metric': 'milk_scc', 'high': 1_250_000, 'device_type': 'milk_meter'})
        self.assertEqual(limit.display_name, 'Somatic Cell Count … – 1250000 /mL')
        with self.assertRaisesRegex(ValidationError, 'no effect yet'):
            limit.metric = 'temperature'
        offered = dict(Limit.fields_get(['metric'])['metric']['selection'])
        self.assertEqual(offered['milk_scc'], 'Somatic Cell Count')
        self.assertNotIn('temperature', offered)

    def test_the_migration_archives_limits_without_effect(self):
        good = self.env['iot.threshold'].create({'farm_id': self.farm.id, 'metric': 'milk_scc', 'high': 1})
        self.env.flush_all()
        self.cr.execute(
            """INSERT INTO iot_threshold (farm_id, company_id, metric, high, severity, active)
               VALUES (%s, %s, 'temperature', 4, 'high', true) RETURNING id""", [self.farm.id, self.farm.company_id.id])
        bad = self.env['iot.threshold'].browse(self.cr.fetchone())
        run_migration(self.env, '19.0.3.3.0')
        self.assertEqual((good.active, bad.active), (True, False))
        self.assertIn('no effect yet', bad.message_ids[0].body)

    def test_the_demo_data_loads(self):
        # Odoo goes on without it when it does not, and says so in a line of its log.
        for module, filename in (('farm', 'farm_demo'), ('farm', 'farm_animal_demo'), ('iot', 'iot_device_demo')):
            convert_file(self.env, f'smart_dairy_{module}', f'demo/{filename}.xml', {}, mode='init', noupdate=True)
        self.assertEqual(self.env.ref('smart_dairy_iot.device_flow').state, 'refused')

    def test_a_duplicate_limit_waits(self):
        limit = self.env['iot.threshold'].create({'farm_id': self.farm.id, 'metric': 'milk_scc', 'high': 4}).with_user(self.manager)
        self.assertEqual((limit.copy().active, limit.active), (False, True))
