# An animal that leaves lets go of its tags; a duplicate never has what must be the only one.
from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools.misc import file_path

TAG = '050000000009001'


@tagged('-at_install', 'post_install')
class TestLeaving(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.farm = cls.env['farm.farm'].create({'name': 'Gate', 'code': 'gate'})
        cls.user = new_test_user(cls.env, 'seller', 'smart_dairy_farm.group_farm_user')

    def cow(self, **values):
        cow = self.env['farm.animal'].with_user(self.user).create({
            'name': 'Bella', 'farm_id': self.farm.id, 'rfid_tag': TAG, 'ear_tag': '1', **values})
        return cow

    def test_who_leaves_carries_nothing_any_more(self):
        for number, values in enumerate(({'state': 'sold'}, {'state': 'dead'}, {'active': False})):
            with self.subTest(values=values):
                tags = {'rfid_tag': f'05000000000910{number}', 'ear_tag': f'L{number}'}
                cow = self.cow(**tags)
                self.env['farm.animal.tag'].create({'animal_id': cow.id, 'kind': 'collar', 'tag': f'C{number}'})
                cow.write(values)
                self.assertEqual((cow.rfid_tag, cow.ear_tag), (False, False))
                self.assertEqual(sorted((span.kind, bool(span.valid_to)) for span in cow.tag_ids),
                                 [('collar', True), ('ear', True), ('rfid', True)], 'on record, and over')
                self.assertEqual(self.cow(name='Buttercup', **tags).rfid_tag, tags['rfid_tag'])

    def test_who_was_never_there_takes_no_tag_away(self):
        gone = self.cow(state='sold')
        self.assertEqual((gone.rfid_tag, sorted(gone.tag_ids.mapped('tag'))), (False, [TAG, '1']))
        gone.rfid_tag = '050000000009002'
        self.assertFalse(gone.rfid_tag)
        self.assertTrue(self.cow().rfid_tag)

    def test_in_the_herd_the_tags_stay(self):
        cow = self.cow()
        for state in ('dry', 'heifer', 'lactating'):
            cow.state = state
        self.assertEqual((cow.rfid_tag, cow.ear_tag), (TAG, '1'))

    def test_many_leave_at_once(self):
        cows = self.env['farm.animal'].create([
            {'name': str(n), 'farm_id': self.farm.id, 'ear_tag': str(n)} for n in range(200)])
        self.env.flush_all()
        before = self.cr.sql_log_count
        cows.with_context(tracking_disable=True).write({'state': 'sold'})
        self.env.flush_all()
        self.assertLess(self.cr.sql_log_count - before, 40)
        self.assertFalse(any(cows.mapped('ear_tag')))

    def test_the_last_holder_is_known(self):
        cow = self.cow()
        cow.state = 'sold'
        company_id, now = self.farm.company_id.id, fields.Datetime.now()
        holders = self.env['farm.animal.tag']._holders([company_id], {TAG}, {'1'})
        self.assertFalse(holders.animal_id(company_id, self.farm.id, now, TAG, '1'))
        for tag, number in ((TAG, None), (None, '1')):
            self.assertEqual(holders.former_animal_id(company_id, self.farm.id, now, tag, number), cow.id)
        self.assertFalse(holders.former_animal_id(company_id, self.farm.id + 1, now, None, '1'), 'of another farm')

    def test_the_migration_releases_what_those_who_left_still_have(self):
        cow = self.cow()
        self.env.flush_all()
        self.cr.execute("UPDATE farm_animal SET state = 'sold' WHERE id = %s", [cow.id])
        self.env.invalidate_all()
        self.assertEqual(cow.rfid_tag, TAG)
        path = file_path('smart_dairy_farm/migrations/19.0.1.4.0/post-migrate.py')
        names = {}
        with open(path, encoding='utf-8') as source:
            exec(compile(source.read(), path, 'exec'), names)  # noqa: S102 # pylint: disable=exec-used
        names['migrate'](self.cr, '19.0.1.3.0')
        self.env.invalidate_all()
        self.assertEqual((cow.rfid_tag, cow.ear_tag), (False, False))


@tagged('-at_install', 'post_install')
class TestDuplicates(TransactionCase):

    def test_a_farm(self):
        manager = new_test_user(self.env, 'boss', 'smart_dairy_farm.group_farm_manager')
        farm = self.env['farm.farm'].create({'name': 'Barn', 'code': 'barn'}).with_user(manager)
        copies = farm.copy() | farm.copy()
        self.assertEqual(copies.mapped('code'), ['barn_copy', 'barn_copy2'])
        self.assertEqual(copies.mapped('name'), ['Barn (copy)', 'Barn (copy 2)'])
        self.assertEqual(farm.copy({'code': 'hill', 'name': 'Hill'}).code, 'hill')
        longest = self.env['farm.farm'].create({'name': 'L', 'code': 'l' * 64})
        self.assertEqual(longest.copy().code, 'l' * 59 + '_copy')
        with self.assertRaises(ValidationError):
            farm.copy({'code': 'a/b'})

    def test_what_has_a_name_of_its_own(self):
        farm = self.env['farm.farm'].create({'name': 'Barn', 'code': 'barn'})
        for record in (self.env['farm.pen'].create({'name': 'Shed', 'farm_id': farm.id}),
                       self.env['farm.breed'].create({'name': 'Rare'})):
            with self.subTest(model=record._name):
                self.assertEqual([record.copy().name, record.copy().name],
                                 [f'{record.name} (copy)', f'{record.name} (copy 2)'])

    def test_an_animal(self):
        farm = self.env['farm.farm'].create({'name': 'Barn', 'code': 'barn'})
        cow = self.env['farm.animal'].create({'name': 'Bella', 'farm_id': farm.id, 'rfid_tag': TAG, 'ear_tag': '1'})
        self.assertEqual((cow.copy().rfid_tag, cow.copy().ear_tag), (False, False))

    def test_staff_may_leave_a_note_on_a_farm(self):
        farm = self.env['farm.farm'].create({'name': 'Barn', 'code': 'barn'})
        for group in ('farm_user', 'veterinarian', 'farm_manager'):
            user = new_test_user(self.env, group, f'smart_dairy_farm.group_{group}')
            message = farm.with_user(user).message_post(body='The gate is broken', subtype_xmlid='mail.mt_note')
            self.assertEqual(message.author_id, user.partner_id)


@tagged('-at_install', 'post_install')
class TestCompanyChange(TransactionCase):

    def test_a_farm_takes_its_herd_along_in_a_few_queries(self):
        south = self.env['res.company'].create({'name': 'South'})
        counts = []
        # The first time Odoo also learns what it needs for any farm.
        for number, size in enumerate((1, 1, 1000)):
            farm = self.env['farm.farm'].create({'name': str(number), 'code': f'farm_{number}'})
            pen = self.env['farm.pen'].create({'name': 'Shed', 'farm_id': farm.id})
            cows = self.env['farm.animal'].create([
                {'name': str(n), 'farm_id': farm.id, 'pen_id': pen.id, 'ear_tag': str(n)} for n in range(size)])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            farm.company_id = south
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
            for records in (cows, cows.tag_ids, pen):
                self.assertEqual(records.company_id, south)
                self.assertEqual(records.search_count([('id', 'in', records.ids), ('company_id', '=', south.id)]), len(records))
        self.assertLessEqual(counts[2] - counts[1], 5, counts)
