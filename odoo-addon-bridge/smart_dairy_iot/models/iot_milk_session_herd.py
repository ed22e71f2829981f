# Milk of a cow that must not be milked does not belong in the tank: a dry cow's may hold residues. An animal that cannot be
# milked at all (male, sold, dead, archived) has not been: somebody else wears its tag.
import json
from collections import defaultdict
from contextlib import contextmanager

from odoo import api, fields, models

DRY, GONE, MALE = 'milked_dry', 'milked_not_in_herd', 'milked_male'
SOURCE = 'odoo'
MESSAGES = {
    DRY: "%s is dry and was milked: keep the milk out of the tank, it may hold residues.",
    GONE: "The tag of %s was read, who has left the herd: who was milked?",
    MALE: "The tag of %s was read, who is male: who was milked?",
}


class FarmAnimal(models.Model):
    _inherit = 'farm.animal'

    def _milking_problem(self, moment):
        """Type of the alert that a milking of this animal at ``moment`` is, else False. None before its last change of status: what
        it was then is not known any more."""
        self.ensure_one()
        if self.sex == 'male' or self.state == 'bull':
            return MALE
        if self.state_since and moment < self.state_since:
            return None
        if not self.active or self.state in ('sold', 'dead'):
            return GONE
        return DRY if self.state == 'dry' else False


class IotMilkSession(models.Model):
    _inherit = 'iot.milk.session'

    @api.model
    def _bridge_exclude(self, entries, moment):
        """Take animals that cannot be the ones from entries, before they are written, and mark entries that an alert may follow from."""
        # One that is deleted right now is found out when the milking is written.
        animals = self.env['farm.animal'].browse({entry.values['animal_id'] for entry in entries} - {False}).exists()
        known = {animal.id: animal for animal in animals}
        for entry in entries:
            animal = known.get(entry.values['animal_id'])
            problem = animal and animal._milking_problem(entry.values[moment])
            # Where no animal was found, the tag may be of one that had it until it left.
            entry.is_doubtful = bool(problem if animal else entry.values.get('rfid_tag') or entry.values.get('animal_ref'))
            if problem in (GONE, MALE):
                entry.values['animal_id'] = False

    def _matching_animals(self):
        return {
            session: animal.browse() if animal and animal._milking_problem(session.start_datetime) in (GONE, MALE) else animal
            for session, animal in super()._matching_animals().items()}

    @contextmanager
    def _animals_change(self):
        with super()._animals_change():
            yield
        self._warn_of_milkings()

    def _bridge_insert(self, entries):
        answer = super()._bridge_insert(entries)
        # A new milking has no alert that could end.
        self.browse(entry.answer['id'] for entry in entries if entry.is_doubtful)._warn_of_milkings()
        return answer

    def _bridge_update(self, entries):
        answer = super()._bridge_update(entries)
        sessions = self.browse(entry.current_id for entry in entries)
        sessions._warn_of_milkings(self.browse(
            session.id for session, entry in zip(sessions, entries)
            if entry.is_doubtful or session.animal_id.id != entry.values['animal_id']))
        return answer

    def _warn_of_milkings(self, doubtful=None):
        """Raise, or end, the alerts of milkings whose animal must not be milked. ``doubtful``: those of them for which there may be
        reason to raise one; all when not given."""
        # sudo: alerts follow from the milking, whoever brought it or chose its animal
        # Each of them is an alert like any other, also in the middle of a batch of milkings.
        own = self.sudo().with_context(active_test=False, smart_dairy_batch=False)
        Alert = own.env['iot.alert'].with_context(tracking_disable=True)
        known = {
            (alert.milk_session_id, alert.alert_type): alert
            for alert in Alert.search([
                ('milk_session_id', 'in', own.ids), ('source', '=', SOURCE), ('alert_type', 'in', (DRY, GONE, MALE))])}
        wanted, unknown = {}, own.browse()
        looked_at = own if doubtful is None else own.browse({*doubtful.ids, *(session.id for session, _kind in known)})
        for session, animal in looked_at._tagged_animals():
            kind = animal._milking_problem(session.start_datetime)
            if kind:
                wanted[session, kind] = animal
            elif kind is None:
                unknown |= session
        now = fields.Datetime.now()
        for key, alert in known.items():
            session = key[0]
            if session in unknown and alert.animal_id == session.animal_id:
                # Said when it was known: a dry cow that has calved since was dry.
                continue
            if key not in wanted and alert.state != 'resolved':
                alert.write({'state': 'resolved', 'cleared_at': now, 'state_user_id': False})
            elif key in wanted and alert.cleared_at:
                alert.write({'state': 'new', 'cleared_at': False, 'state_user_id': False})
        Alert.create([
            own._milking_alert(session, kind, animal) for (session, kind), animal in wanted.items() if (session, kind) not in known])

    def _tagged_animals(self):
        """(milking, animal) of these milkings; where no animal was found, the one whose tag was read, or that had it until it left."""
        nameless = defaultdict(list)
        for session in self:
            if session.animal_id:
                yield session, session.animal_id
            elif session.rfid_tag or session.animal_ref:
                nameless[session.company_id].append(session)
        for company, sessions in nameless.items():
            holders = self.env['farm.animal.tag']._holders(
                [company.id], {session.rfid_tag for session in sessions} - {False}, {session.animal_ref for session in sessions} - {False})
            for session in sessions:
                read = company.id, session.farm_id.id, session.start_datetime, session.rfid_tag, session.animal_ref
                animal = self.env['farm.animal'].browse(holders.animal_id(*read) or [])
                if animal := animal or self.env['farm.animal'].browse(holders.former_animal_id(*read) or [])._gone():
                    yield session, animal

    @api.model
    def _milking_alert(self, session, kind, animal):
        # English, as the connector's own: whoever reads it gets it in their language, see iot_alert_text.
        return {
            'farm_id': session.farm_id.id, 'device_id': session.device_id.id, 'animal_id': session.animal_id.id,
            'rfid_tag': session.rfid_tag, 'milk_session_id': session.id, 'alert_type': kind, 'severity': 'high', 'state': 'new',
            'message': MESSAGES[kind] % animal.display_name,
            'parameters': json.dumps({'animal': animal.display_name}, ensure_ascii=False), 'raised_at': session.start_datetime, 'source': SOURCE,
            'source_id': f'{session.id}/{kind}', 'revision': 0,
        }
