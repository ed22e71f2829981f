# The checks of plain records, without a model.
from odoo.tests import BaseCase, tagged

from ..tools import records

CHECKS = {
    'name': records.text, 'count': records.integer, 'weight': records.number, 'done': records.boolean,
    'at': records.moment, 'grade': records.choice(['A', 'B', 'reject']),
}


@tagged('-at_install', 'post_install')
class TestRecords(BaseCase):

    def problem(self, **record):
        values, problems = records.parse(record, CHECKS, ())
        self.assertEqual(values, {})
        self.assertEqual(len(problems), 1)
        return problems[0]

    def test_good_values(self):
        values, problems = records.parse(
            {'name': 7, 'count': 3.0, 'weight': 2, 'done': False, 'at': '2026-02-28 23:59:59', 'grade': 'B'}, CHECKS, ())
        self.assertEqual(problems, [])
        self.assertEqual((values['name'], values['count'], values['weight'], values['done']), ('7', 3, 2.0, False))
        self.assertEqual(values['at'].isoformat(), '2026-02-28T23:59:59')

    def test_null_is_no_value(self):
        self.assertEqual(records.parse(dict.fromkeys(CHECKS), CHECKS, ()), ({}, []))

    def test_wrong_values_name_field_value_and_what_is_allowed(self):
        self.assertEqual(self.problem(grade='rejct'),
                         "grade: 'rejct' is not allowed, use one of A, B, reject (did you mean reject?)")
        self.assertEqual(self.problem(weight=float('nan')), "weight: nan is not a finite number")
        self.assertEqual(self.problem(weight=True), "weight: True is not a finite number")
        self.assertEqual(self.problem(weight='12'), "weight: '12' is not a finite number")
        self.assertEqual(self.problem(count=1.5), "count: 1.5 is not a whole number")
        self.assertEqual(self.problem(count=float('inf')), "count: inf is not a whole number")
        self.assertEqual(self.problem(count=2**31), "count: 2147483648 is out of range, use -2147483648 to 2147483647")
        self.assertEqual(self.problem(done=1), "done: 1 is not true or false")
        self.assertEqual(self.problem(name=['x']), "name: ['x'] is not a text")
        self.assertIn('NUL', self.problem(name='a\x00b'))
        for value in ('2026-02-30 00:00:00', '2026-02-03T00:00:00Z', '2026-02-03', 5):
            with self.subTest(value=value):
                self.assertIn('is not a UTC time written as YYYY-MM-DD HH:MM:SS', self.problem(at=value))

    def test_unknown_and_missing_keys(self):
        self.assertEqual(self.problem(wieght=3), "wieght: unknown key, did you mean weight?")
        self.assertEqual(self.problem(zzzzzz=3), "zzzzzz: unknown key")
        self.assertEqual(records.parse({'name': ''}, CHECKS, ('name', 'at'))[1], ['name: is required', 'at: is required'])
        # A wrong value is reported once, not as missing too.
        self.assertEqual(len(records.parse({'at': 'noon'}, CHECKS, ('at',))[1]), 1)

    def test_not_even_a_record(self):
        self.assertEqual(records.parse(['x'], CHECKS, ('at',))[1], ["a record must be an object, got ['x']"])
