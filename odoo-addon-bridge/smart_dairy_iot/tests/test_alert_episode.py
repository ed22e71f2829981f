# One open alert for each cow and type, counted; references that come late; what people may not rewrite.
from itertools import permutations

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import BridgeCase, milking
from .test_device_alert import alert


@tagged('-at_install', 'post_install')
class TestEpisode(BridgeCase):

    def raised(self, number, revision=1, **values):
        return alert(revision, **{
            'source_id': f'barn/alert/{number}', 'rfid_tag': self.cow.rfid_tag, 'severity': 'medium',
            'raised_at': f'2026-05-01 04:{number:02}:00', **values})

    def found(self, number):
        return self.env['iot.alert'].search([('source_id', '=', f'barn/alert/{number}')])

    def shown(self):
        """What the screens show as open."""
        domain = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_iot.iot_alert_action')['domain']
        self.assertIn('episode_id', domain)
        return self.env['iot.alert'].search([
            ('episode_id', '=', False), ('state', '!=', 'resolved'), ('farm_id', '=', self.farm.id)])

    def test_sixty_alerts_of_one_cow_are_one_open_alert(self):
        for number in range(60):
            self.upsert(self.raised(number), model='Alert')
        [one] = self.shown()
        self.assertEqual((one.occurrences, str(one.raised_at), str(one.last_raised_at)),
                         (60, '2026-05-01 04:00:00', '2026-05-01 04:59:00'))
        self.assertEqual((self.cow.iot_alert_count, self.farm.iot_alert_count, len(one.repeat_ids)), (1, 1, 59))

    def test_the_order_and_the_batches_say_nothing(self):
        records = [
            self.raised(1), self.raised(2, severity='critical'), self.raised(3), self.raised(4, alert_type='other'),
            self.raised(5, rfid_tag=self.other_cow.rfid_tag), self.raised(2, 2, state='resolved', severity='critical'),
            self.raised(6, rfid_tag=None, milk_session='somewhere'), self.raised(7, rfid_tag=None, milk_session='elsewhere')]
        results = set()
        for order in list(permutations(range(5)))[::17]:
            self.env['iot.alert'].search([('farm_id', '=', self.farm.id)]).unlink()
            picked = [records[at] for at in order] + records[5:]
            half = len(picked) // 2
            self.upsert(*picked[:half], model='Alert')
            for record in picked[half:]:
                self.upsert(record, model='Alert')
            results.add(tuple(sorted(
                (row.source_id, row.occurrences, str(row.last_raised_at), row.worst_severity) for row in self.shown())))
        self.assertEqual(len(results), 1)
        self.assertEqual([row[:2] for row in results.pop()], [
            ('barn/alert/1', 2), ('barn/alert/4', 1), ('barn/alert/5', 1), ('barn/alert/6', 1), ('barn/alert/7', 1)])

    def test_what_a_person_says_is_said_of_all_of_them(self):
        self.upsert(self.raised(2), self.raised(3), model='Alert')
        self.found(2).with_user(self.staff).action_acknowledge()
        self.assertEqual(self.found(3).state, 'acknowledged')
        # Later or earlier: it is the same trouble, and somebody takes care of it.
        self.upsert(self.raised(4), self.raised(1), model='Alert')
        self.assertEqual((self.shown(), self.shown().state, self.shown().occurrences), (self.found(1), 'acknowledged', 4))
        self.found(1).with_user(self.staff).action_resolve()
        self.assertFalse(self.shown())
        self.assertEqual({self.found(number).state for number in range(1, 5)}, {'resolved'})
        self.upsert(self.raised(5), model='Alert')
        self.assertEqual((self.shown(), self.shown().state, self.shown().occurrences), (self.found(5), 'new', 1))

    def test_the_gravest_counts(self):
        self.upsert(self.raised(1, severity='low'), self.raised(2, severity='high'), model='Alert')
        self.assertEqual((self.shown().severity, self.shown().worst_severity), ('low', 'high'))
        self.upsert(self.raised(2, 2, state='resolved', severity='high'), model='Alert')
        self.assertEqual((self.shown().occurrences, self.shown().worst_severity), (1, 'low'))

    def test_an_animal_that_turns_out_to_be_another_one(self):
        self.upsert(milking('a'), milking('b', start_datetime='2026-05-01 05:00:00', end_datetime=None))
        self.upsert(self.raised(1, milk_session='a'), self.raised(2, milk_session='b'), model='Alert')
        self.assertEqual(self.shown().occurrences, 2)
        self.session('b').with_user(self.staff).animal_id = self.other_cow
        self.assertEqual([row.animal_id for row in self.shown().sorted('raised_at')], [self.cow, self.other_cow])
        self.assertEqual(self.shown().mapped('occurrences'), [1, 1])


@tagged('-at_install', 'post_install')
class TestReferences(BridgeCase):

    def found(self):
        return self.env['iot.alert'].search([('source_id', '=', 'barn/alert/1')])

    def test_a_milking_that_comes_after_its_alert(self):
        self.upsert(alert(milk_session='barn/m1/1', rfid_tag=None), model='Alert')
        self.assertFalse(self.found().milk_session_id)
        self.upsert(milking())
        self.assertEqual((self.found().milk_session_id, self.found().animal_id), (self.session(), self.cow))
        self.assertEqual(self.session().alert_ids, self.found())

    def test_two_calls_at_once_are_completed_by_the_schedule(self):
        self.upsert(milking())
        self.upsert(alert(milk_session='barn/m1/1'), model='Alert')
        # As if neither had seen the other.
        self.found().milk_session_id = False
        self.env['iot.alert']._cron_complete_references()
        self.assertEqual(self.found().milk_session_id, self.session())

    def test_a_corrected_animal_reaches_its_alerts(self):
        self.upsert(milking())
        self.upsert(alert(milk_session='barn/m1/1', rfid_tag=self.cow.rfid_tag), model='Alert')
        self.session().with_user(self.staff).animal_id = self.other_cow
        self.assertEqual(self.found().animal_id, self.other_cow)
        # A later revision of the alert still has the tag that was read.
        self.upsert(alert(2, milk_session='barn/m1/1', rfid_tag=self.cow.rfid_tag), model='Alert')
        self.assertEqual(self.found().animal_id, self.other_cow)
        self.session().with_user(self.staff).animal_id = False
        self.assertFalse(self.found().animal_id)

    def test_an_animal_found_later_reaches_them_too(self):
        self.upsert(milking(rfid_tag='050000000009055'))
        self.upsert(alert(milk_session='barn/m1/1', rfid_tag='050000000009055'), model='Alert')
        self.assertFalse(self.found().animal_id)
        cow = self.env['farm.animal'].create({'name': 'New', 'farm_id': self.farm.id, 'rfid_tag': '050000000009055'})
        self.session().with_user(self.staff).action_match_again()
        self.assertEqual(self.found().animal_id, cow)
        self.upsert(milking(revision=2))
        self.assertEqual(self.found().animal_id, self.cow, 'and so does a revision of the milking')


@tagged('-at_install', 'post_install')
class TestHerd(BridgeCase):

    def alerts(self, key='barn/m1/1'):
        return self.env['iot.alert'].search([('milk_session_id', '=', self.session(key).id), ('source', '=', 'odoo')])

    def later(self, key='barn/m1/1', revision=1, **values):
        return milking(key, revision, start_datetime='2099-05-01 04:00:00', end_datetime='2099-05-01 04:06:30', **values)

    def test_a_dry_cow_that_is_milked_is_a_grave_alert(self):
        self.cow.state = 'dry'
        self.upsert(self.later())
        self.assertEqual((self.session().animal_id, self.session().identification), (self.cow, 'identified'))
        [found] = self.alerts()
        self.assertEqual((found.alert_type, found.severity, found.animal_id, found.state), ('milked_dry', 'high', self.cow, 'new'))
        self.assertIn('residues', found.message)
        self.upsert(self.later(revision=2, yield_kg=1))
        self.assertEqual(self.alerts(), found, 'one')
        self.session().with_user(self.staff).animal_id = self.other_cow
        self.assertEqual(found.state, 'resolved')
        self.session().with_user(self.staff).animal_id = self.cow
        self.assertEqual(found.state, 'new')

    def test_what_a_revision_brings_is_counted_with_the_others(self):
        self.cow.state = 'dry'
        self.upsert(self.later(), self.later('b', rfid_tag=None))
        self.upsert(self.later('b', 2))
        [shown] = self.env['iot.alert'].search([('episode_id', '=', False), ('alert_type', '=', 'milked_dry'), ('animal_id', '=', self.cow.id)])
        self.assertEqual((shown.occurrences, shown.worst_severity), (2, 'high'))

    def test_a_cow_that_calves_later_was_dry_all_the_same(self):
        self.cow.state = 'dry'
        self.upsert(self.later())
        self.cow.action_calved()
        self.cow.state_since = '2099-06-01 00:00:00'
        self.upsert(self.later(revision=2, yield_kg=1))
        self.assertEqual(self.alerts().state, 'new')
        self.session().with_user(self.staff).animal_id = self.other_cow
        self.assertEqual(self.alerts().state, 'resolved')

    def test_who_cannot_be_milked_has_not_been(self):
        for number, (values, kind) in enumerate((
            ({'state': 'sold'}, 'milked_not_in_herd'), ({'state': 'dead'}, 'milked_not_in_herd'),
            ({'active': False}, 'milked_not_in_herd'), ({'sex': 'male'}, 'milked_male'),
            ({'state': 'bull', 'sex': 'male'}, 'milked_male'))):
            tag = f'05000000000{9100 + number}'
            self.env['farm.animal'].create({'name': kind, 'farm_id': self.farm.id, 'rfid_tag': tag}).write(values)
            self.upsert(self.later(str(number), rfid_tag=tag))
            with self.subTest(values=values):
                session = self.session(str(number))
                self.assertEqual((session.identification, session.animal_id.id), ('unidentified', False))
                self.assertEqual((self.alerts(str(number)).alert_type, self.alerts(str(number)).severity), (kind, 'high'))
                session.action_match_again()
                self.assertFalse(session.animal_id)
        candidates = self.env['farm.animal'].search(eval(  # noqa: S307 the domain of the field
            self.env['iot.milk.session']._fields['animal_id'].domain, {'farm_id': self.farm.id}))
        self.assertEqual(candidates, self.cow | self.other_cow)

    def test_milkings_before_the_change_are_as_they_were(self):
        self.cow.state = 'sold'
        self.other_cow.state = 'dry'
        self.upsert(milking(), milking('b', rfid_tag=self.other_cow.rfid_tag))
        self.assertEqual((self.session().animal_id, self.session('b').animal_id), (self.cow, self.other_cow))
        self.assertFalse(self.alerts() | self.alerts('b'))


@tagged('-at_install', 'post_install')
class TestTrace(BridgeCase):

    def test_who_corrected_what_is_not_forged(self):
        self.upsert(milking())
        users = [self.staff, *(
            new_test_user(self.env, group, f'smart_dairy_{group}')
            for group in ('farm.group_farm_manager', 'iot.group_iot_admin'))]
        forged = {'identification': 'corrected', 'corrected_by_id': users[0].id, 'corrected_on': '2020-01-01 00:00:00'}
        by_hand = self.env['iot.milk.session'].create({'farm_id': self.farm.id, 'start_datetime': '2026-05-01 04:00:00'})
        for user in users:
            for session in (self.session(), by_hand):
                for name, value in forged.items():
                    with self.subTest(user=user.login, name=name), self.assertRaises(AccessError):
                        session.with_user(user).write({name: value})
        Session = self.env['iot.milk.session'].with_user(users[1])
        made = Session.create({'farm_id': self.farm.id, 'start_datetime': '2026-05-01 04:00:00', **forged})
        made |= Session.with_context(**{f'default_{name}': value for name, value in forged.items()}).create({
            'farm_id': self.farm.id, 'start_datetime': '2026-05-01 05:00:00', 'animal_id': self.cow.id})
        self.assertEqual(made.mapped('identification'), ['unidentified', 'identified'])
        self.assertFalse(made.corrected_by_id or any(made.mapped('corrected_on')))

    def test_an_administrators_change_leaves_a_trace(self):
        self.upsert(milking(), milking('b'))
        self.upsert(milking(revision=2, yield_kg=12.5))
        self.flush_tracking()
        self.assertFalse(self.session().message_ids, 'what the connector brings is no news')
        admin = new_test_user(self.env, 'mender', 'smart_dairy_iot.group_iot_admin')
        self.session().with_user(admin).yield_kg = 30
        self.flush_tracking()
        [value] = self.session().message_ids.sudo().tracking_value_ids
        self.assertEqual((value.field_id.name, value.old_value_float, value.new_value_float), ('yield_kg', 12.5, 30))
        self.assertEqual(self.session().message_ids.author_id, admin.partner_id)

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()

    def test_an_alert_entered_by_hand_is_not_rewritten_by_staff(self):
        by_hand = self.env['iot.alert'].create({'farm_id': self.farm.id, 'alert_type': 'x', 'message': 'Look', 'severity': 'high'})
        for name, value in (('message', 'all well'), ('severity', 'low'), ('animal_id', self.cow.id), ('occurrences', 1)):
            with self.subTest(name=name), self.assertRaises(AccessError):
                by_hand.with_user(self.staff).write({name: value})
        by_hand.with_user(self.staff).action_resolve()
        admin = new_test_user(self.env, 'mender', 'smart_dairy_iot.group_iot_admin')
        by_hand.with_user(admin).message = 'Look there'
