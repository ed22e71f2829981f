# Every term of both addons is in the template and has its Bangla translation, with the same placeholders.
import re
from io import BytesIO

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path
from odoo.tools.translate import trans_export

MODULES = ('smart_dairy_farm', 'smart_dairy_iot')
# Fields that other addons add to every model with messages, with translations of their own.
FOREIGN = ('__website_message_ids', '__message_has_sms_error')
PLACEHOLDER = re.compile(r'%\(\w+\)s|%s')


def _places(file):
    return {(entry.msgid, place) for entry in file for place, _line in entry.occurrences if not place.endswith(FOREIGN)}


def check_translations(case, module, least):
    """Assert that the template of ``module`` has all its terms, ``least`` or more, and bn.po a translation of each."""
    stream = BytesIO()
    trans_export(False, [module], stream, 'po', case.env)
    exported = _places(polib.pofile(stream.getvalue().decode()))
    terms = {term for term, _place in exported}
    template = polib.pofile(file_path(f'{module}/i18n/{module}.pot'))
    translated = polib.pofile(file_path(f'{module}/i18n/bn.po'))
    bangla = {entry.msgid: entry.msgstr for entry in translated}
    case.assertGreaterEqual(len(terms), least)
    # With its places: Odoo gives a field or a view only the terms that the file says are its own.
    for file in (template, translated):
        case.assertEqual(exported - _places(file), set(), "export the template again: see docs/odoo.md")
    case.assertEqual({term for term in terms if not bangla.get(term)}, set(), "without Bangla")
    wrong = {term for term, text in bangla.items()
             if sorted(PLACEHOLDER.findall(term)) != sorted(PLACEHOLDER.findall(text))}
    case.assertEqual(wrong, set(), "other placeholders than the English term")


@tagged('-at_install', 'post_install')
class TestTranslations(TransactionCase):

    def test_no_term_is_missing(self):
        for module in MODULES:
            with self.subTest(module=module):
                check_translations(self, module, 100)

    def test_the_screens_speak_bangla(self):
        self.env['res.lang']._activate_lang('bn_IN')
        self.env['ir.module.module'].search([('name', 'in', MODULES)])._update_translations(['bn_IN'])
        bangla = self.env(context={'lang': 'bn_IN'})
        fields = bangla['iot.device'].fields_get(['state', 'farm_id'])
        self.assertEqual(fields['farm_id']['string'], 'খামার')
        self.assertEqual(dict(fields['state']['selection'])['refused'], 'প্রত্যাখ্যাত')
        self.assertIn('সর্বশেষ মান', bangla['iot.device'].get_view(view_type='form')['arch'])
        self.assertEqual(bangla.ref('smart_dairy_iot.menu_iot_alert').name, 'সতর্কবার্তা')
