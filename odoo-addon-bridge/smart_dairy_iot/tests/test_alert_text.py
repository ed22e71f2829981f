# Alerts say what happened in the language of whoever reads them, with numbers as they are written there.
import json

from odoo.tests import tagged

from .common import BridgeCase, milking
from .test_device_alert import alert

ENGLISH = r'[A-Za-z]{3}'


@tagged('-at_install', 'post_install')
class TestAlertText(BridgeCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['res.lang']._activate_lang('bn_IN')
        cls.env['res.lang']._write_bangla_numbers()

    def raised(self, **values):
        parameters = values.pop('parameters', None)
        if parameters is not None:
            values['parameters'] = json.dumps(parameters)
        self.assertEqual(self.status(alert(**values), model='Alert'), ['created'])
        found = self.env['iot.alert'].search([('source_id', '=', values.get('source_id', 'barn/alert/1'))])
        return found, found.with_context(lang='bn_IN')

    def test_measured_values(self):
        for n, (kind, value, limit, unit, parameters, english) in enumerate((
            ('high_scc', 849000, 750000, 'cells/mL', {}, 'Somatic cell count 849,000/mL is above 750,000/mL'),
            ('abnormal_conductivity', 6.75, 6.5, 'mS/cm', {}, 'Milk conductivity 6.75 mS/cm is above 6.5 mS/cm'),
            ('abnormal_conductivity', 6.694, 6.5, 'mS/cm', {}, 'Milk conductivity 6.69 mS/cm is above 6.5 mS/cm'),
            ('abnormal_conductivity', 6.502, 6.5, 'mS/cm', {}, 'Milk conductivity 6.502 mS/cm is above 6.5 mS/cm'),
            ('yield_limit', 2, 3, 'kg', {}, 'Yield 2 kg is below 3 kg'),
            ('abnormal_yield', 5.26, 8.4, 'kg', {'expected': '12.004'}, 'Yield 5.3 kg; 12 kg were expected'),
            # Of a version that did not say what was expected: its own text.
            ('abnormal_yield', 5.25, 8.4, 'kg', {}, 'English of the connector'),
            ('impossible_yield', 300, 100, 'kg', {},
             'Yield 300 kg cannot be: an animal gives at most 100 kg in one milking. Look at the meter.'),
            ('milked_in_two_stalls', None, None, None, {'animal': 'Bella', 'stall': '3', 'other': '7'},
             "Bella was milked at stall 3 and at stall 7 at the same time: one of the two is another animal's milking."),
        )):
            shown, bangla = self.raised(
                source_id=f'barn/{n}', alert_type=kind, trigger_value=value, threshold_value=limit, unit=unit,
                parameters=parameters, message='English of the connector')
            with self.subTest(kind=kind):
                self.assertEqual(shown.text, english)
                if english != 'English of the connector':
                    self.assertNotRegex(bangla.text.replace('mS/cm', '').replace('kg', '').replace('Bella', ''), ENGLISH)
                self.assertNotRegex(bangla.alert_type_label, r'[a-z_]{3}')
        scc = self.env['iot.alert'].search([('source_id', '=', 'barn/0')]).with_context(lang='bn_IN')
        self.assertIn('8,49,000', scc.text)
        self.assertEqual((scc.value_label, scc.limit_label), ('8,49,000 কোষ/মিলি', '7,50,000 কোষ/মিলি'))
        self.assertEqual(scc.with_context(lang='en_US').value_label, '849,000 cells/mL')

    def test_clocks_gateways_and_devices(self):
        for n, (kind, value, parameters, english) in enumerate((
            ('clock_off', -7_200, {'effect': 'arrival_counts'},
             'The clock of m1 is 2 hours ahead: what it says counts at its arrival, marked. Set its clock.'),
            ('clock_off', 600, {'effect': 'stored_older'}, 'The clock of m1 is 10 minutes behind: it answered a command before it was '
             'asked. What it says is stored as so much older than it is. Set its clock.'),
            ('clock_off', 4e9, {'effect': 'arrival_counts'},
             'The clock of m1 is more than a century behind: what it says counts at its arrival, marked. Set its clock.'),
            ('gateway_lost', 20, {}, 'Gateway m1 is lost. Devices behind it that cannot be reached: 20'),
            ('device_offline', None, {}, 'Device m1 is offline'),
        )):
            shown, bangla = self.raised(
                source_id=f'barn/{n}', alert_type=kind, device_uid='m1', trigger_value=value, parameters=parameters)
            with self.subTest(kind=kind, n=n):
                self.assertEqual(shown.text, english)
                self.assertNotRegex(bangla.text, ENGLISH)

    def test_the_cause_that_a_machine_told_stays_as_told(self):
        shown, bangla = self.raised(alert_type='device_offline', device_uid='m1', parameters={'reason': 'no answer'})
        self.assertEqual(shown.text, 'Device m1 is offline: no answer')
        self.assertRegex(bangla.text, 'no answer$')
        self.assertNotIn('Device', bangla.text)

    def test_the_connection_with_odoo(self):
        shown, _bangla = self.raised(alert_type='integration', parameters={'subject': 'api-key', 'reason': 'ends on Monday'})
        self.assertEqual(shown.text, 'The API key for Odoo: ends on Monday')
        self.upsert(alert(2, alert_type='integration', state='resolved', parameters='{"over": "yes", "subject": "api-key"}'), model='Alert')
        self.assertEqual(shown.text, 'The API key for Odoo was renewed')
        self.assertNotRegex(shown.with_context(lang='bn_IN').text.replace('API', '').replace('Odoo', ''), ENGLISH)

    def test_the_last_one_of_an_hour_says_so(self):
        shown, _bangla = self.raised(trigger_value=849000, threshold_value=750000, parameters={'quota': 'last'})
        self.assertRegex(shown.text, 'above 750,000/mL This device has raised as many')

    def test_what_was_raised_here_is_not_stored_in_anybodys_language(self):
        cow = self.env['farm.animal'].create(
            {'name': 'Rani', 'farm_id': self.farm.id, 'rfid_tag': '050000000009003', 'state': 'dry'})
        self.Session = self.Session.with_context(lang='bn_IN')
        self.upsert(milking(rfid_tag=cow.rfid_tag))
        found = self.env['iot.alert'].search([('alert_type', '=', 'milked_dry'), ('animal_id', '=', cow.id)])
        self.assertRegex(found.message, r'^Rani is dry')
        self.assertEqual(found.with_context(lang='en_US').text, found.message)
        self.assertNotRegex(found.with_context(lang='bn_IN').text.replace('Rani', ''), ENGLISH)

    def test_what_has_no_text_here_is_shown_as_it_came(self):
        old, _bangla = self.raised(alert_type='high_scc', message='SCC 520,000')
        self.assertEqual(old.text, 'SCC 520,000', 'of a former version: without values')
        own, _bangla = self.raised(source_id='barn/own', alert_type='hot_barn', message='The barn is hot')
        self.assertEqual((own.text, own.alert_type_label), ('The barn is hot', 'Hot barn'))

    def test_what_is_no_object_of_texts_is_refused(self):
        for parameters in ('nonsense', '[1]', '{"a": 1}', '"a"'):
            with self.subTest(parameters=parameters):
                self.assertEqual(self.status(alert(parameters=parameters), model='Alert'), ['error'])

    def test_an_alert_is_found_by_the_name_of_its_type_in_ones_language(self):
        shown, bangla = self.raised(trigger_value=849000, threshold_value=750000)
        for words in ('high scc', 'High SCC', 'SCC 520'):
            self.assertIn(shown, self.env['iot.alert'].search([('text', 'ilike', words)]), words)
        self.assertIn(bangla, bangla.search([('text', 'ilike', bangla.alert_type_label)]))
