# What the addon says comes in the reader's language, and numbers as people there write them.
from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import formatLang

from ..tools.rfid import rfid_problem

TAGS = ('50000000000007.0', '5.0000000000007E+13', '50000000000007', 'AB', '000000000000001', '050274877906944')


@tagged('-at_install', 'post_install')
class TestBangla(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['res.lang']._activate_lang('bn_IN')
        cls.env['res.lang']._write_bangla_numbers()
        cls.bangla = cls.env(context={'lang': 'bn_IN'})

    def test_why_a_tag_is_refused(self):
        farm = self.env['farm.farm'].create({'name': 'B', 'code': 'bangla_farm'})
        for tag in TAGS:
            english, bangla = self.env._(rfid_problem(tag)), self.bangla._(rfid_problem(tag))
            with self.subTest(tag=tag, english=english, bangla=bangla):
                self.assertNotRegex(bangla, r'[A-Za-z]{3}')
                self.assertRegex(english, r'[A-Za-z]{3}')
                with self.assertRaises(ValidationError) as caught:
                    self.bangla['farm.animal'].create({'name': 'ক', 'farm_id': farm.id, 'rfid_tag': tag})
                self.assertIn(bangla, str(caught.exception))

    def test_numbers(self):
        self.assertEqual(formatLang(self.bangla, 849000, digits=0), '8,49,000')
        self.assertEqual(formatLang(self.bangla, 12.5, digits=1), '12.5')
        # Sunday, as in English: This Week is the same week in both.
        self.assertEqual(self.env['res.lang'].search([('code', '=', 'bn_IN')]).week_start, '7')

    def test_who_writes_them_otherwise_keeps_that(self):
        language = self.env['res.lang'].search([('code', '=', 'bn_IN')])
        language.write({'grouping': '[3,0]', 'decimal_point': ',', 'thousands_sep': '.'})
        self.env['res.lang']._write_bangla_numbers()
        self.assertEqual((language.decimal_point, language.thousands_sep), (',', '.'))
        language.thousands_sep = False
        self.env['res.lang']._write_bangla_numbers()
        self.assertEqual((language.grouping, language.decimal_point, language.thousands_sep), ('[3,2,0]', '.', ','))
