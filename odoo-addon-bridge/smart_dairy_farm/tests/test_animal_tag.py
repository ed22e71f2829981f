# Whose a tag was, and when: moving one closes a span, and what was before stays on record.
from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.misc import file_path

TAG = '050000000009001'


@tagged('-at_install', 'post_install')
class TestAnimalTag(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'Tag Farm', 'code': 'tag_farm'})
        cls.user = new_test_user(cls.env, 'tagger', 'smart_dairy_farm.group_farm_user')
        cls.bella, cls.buttercup = cls.env['farm.animal'].with_user(cls.user).create([
            {'name': 'Bella', 'farm_id': cls.farm.id, 'rfid_tag': TAG, 'ear_tag': '1'},
            {'name': 'Buttercup', 'farm_id': cls.farm.id}])
        cls.Tag = cls.env['farm.animal.tag']

    def holder(self, moment, tag=TAG, number=None):
        found = self.Tag._holders([self.farm.company_id.id], {tag}, {number} if number else set())
        animal_id = found.animal_id(self.farm.company_id.id, self.farm.id, moment, tag, number)
        return self.env['farm.animal'].browse(animal_id or []).name

    def test_moving_a_tag_closes_the_old_span(self):
        last_week = fields.Datetime.now() - timedelta(days=7)
        self.bella.rfid_tag = False
        self.buttercup.rfid_tag = TAG
        self.assertEqual((self.bella.rfid_tag, self.buttercup.rfid_tag), (False, TAG))
        old, new = self.bella.tag_ids.filtered(lambda span: span.kind == 'rfid'), self.buttercup.tag_ids
        self.assertFalse(old.valid_from, 'the first holder has always had it')
        self.assertTrue(old.valid_to and old.valid_to <= new.valid_from)
        self.assertEqual((self.holder(last_week), self.holder(fields.Datetime.now())), ('Bella', 'Buttercup'))

    def test_another_tag_in_its_place(self):
        self.bella.rfid_tag = '050000000009002'
        spans = self.bella.tag_ids.filtered(lambda span: span.kind == 'rfid')
        self.assertEqual(sorted((span.tag, bool(span.valid_to)) for span in spans),
                         [(TAG, True), ('050000000009002', False)])
        self.bella.write({'rfid_tag': '050000000009002'})
        self.assertEqual(len(self.bella.tag_ids), 3, 'the same tag again changes nothing')

    def test_a_span_changes_the_animal(self):
        span = self.bella.tag_ids.filtered(lambda span: span.kind == 'rfid')
        span.action_take_off()
        self.assertFalse(self.bella.rfid_tag)
        self.Tag.create({'animal_id': self.buttercup.id, 'tag': '050 000000009001', 'valid_from': span.valid_to})
        self.assertEqual(self.buttercup.rfid_tag, TAG)

    def test_two_animals_cannot_have_one_tag_at_a_time(self):
        for kind, tag in (('rfid', TAG), ('ear', '1')):
            with self.subTest(kind=kind), mute_logger('odoo.sql_db'), \
                    self.assertRaises(psycopg2.errors.ExclusionViolation), self.cr.savepoint():
                self.Tag.create({'animal_id': self.buttercup.id, 'kind': kind, 'tag': tag, 'valid_from': '2026-01-01 00:00:00'})
        self.Tag.create({'animal_id': self.buttercup.id, 'kind': 'collar', 'tag': '1'})

    def test_ear_tags_of_their_time_and_farm(self):
        last_week = fields.Datetime.now() - timedelta(days=7)
        self.bella.ear_tag = '2'
        self.buttercup.ear_tag = '1'
        now = fields.Datetime.now()
        self.assertEqual([self.holder(moment, None, '1') for moment in (last_week, now)], ['Bella', 'Buttercup'])
        self.assertEqual(self.holder(last_week, None, '2'), 'Bella')

    def test_what_cannot_be(self):
        with self.assertRaisesRegex(ValidationError, 'exactly 15 digits'):
            self.Tag.create({'animal_id': self.bella.id, 'tag': '12'})
        with self.assertRaisesRegex(ValidationError, 'future'):
            self.Tag.create({'animal_id': self.bella.id, 'tag': '050000000009003',
                             'valid_from': fields.Datetime.now() + timedelta(days=1)})

    def test_the_migration_makes_spans_of_todays_tags(self):
        self.env.flush_all()
        self.cr.execute("DELETE FROM farm_animal_tag")
        path = file_path('smart_dairy_farm/migrations/19.0.1.2.0/post-migrate.py')
        names = {}
        with open(path, encoding='utf-8') as source:
            exec(compile(source.read(), path, 'exec'), names)  # noqa: S102 # pylint: disable=exec-used
        for _twice in range(2):
            names['migrate'](self.cr, '19.0.1.1.0')
        self.env.invalidate_all()
        spans = self.bella.tag_ids
        self.assertEqual(sorted(spans.mapped('tag')), [TAG, '1'])
        self.assertFalse(any(spans.mapped('valid_from')))
        self.assertEqual(spans.company_id, self.farm.company_id)
