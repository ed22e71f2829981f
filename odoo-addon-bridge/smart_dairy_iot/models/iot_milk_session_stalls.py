# A cow is in one stall at a time: of two milkings of hers that overlap in different stalls, one is another cow's.
import json
from contextlib import contextmanager

from odoo import api, fields, models
from odoo.tools import SQL

from .iot_milk_session_herd import SOURCE

TWO_STALLS = 'milked_in_two_stalls'
MESSAGE = "%(animal)s was milked at stall %(stall)s and at stall %(other)s at the same time: one of the two is another animal's milking."
# More than come between two runs of the schedule.
LATEST = 5000


class IotMilkSession(models.Model):
    _inherit = 'iot.milk.session'

    def _overlaps(self):
        """``{milking: others}`` of the same animal at the same time in another stall. Where a meter's clock was in doubt, the time
        says nothing."""
        self.flush_model([
            'active', 'animal_id', 'device_id', 'end_datetime', 'has_clock_doubt', 'stall', 'start_datetime'])
        found = {}
        # SQL, because a pair is a question about two rows. Nobody is milked for twelve hours: the index needs both ends.
        for own_id, other_id in self.env.execute_query(SQL(
                """SELECT s.id, o.id
                     FROM iot_milk_session s
                     JOIN iot_milk_session o
                       ON o.animal_id = s.animal_id AND o.id <> s.id
                      AND o.start_datetime < s.end_datetime AND o.start_datetime > s.start_datetime - interval '12 hours'
                      AND o.end_datetime > s.start_datetime
                    WHERE s.id = ANY(%s) AND s.active AND o.active
                      AND s.has_clock_doubt IS NOT TRUE AND o.has_clock_doubt IS NOT TRUE
                      AND CASE WHEN s.stall IS NULL OR o.stall IS NULL THEN s.device_id <> o.device_id ELSE s.stall <> o.stall END
                    ORDER BY s.id, o.id""", self.ids)):
            found[self.browse(own_id)] = found.get(self.browse(own_id), self.browse()) + self.browse(other_id)
        return found

    def _partners(self):
        """Those that these overlap with, as far as an alert says so: only such a one can end."""
        # sudo: whoever changes a milking need not see the alerts of its farm
        alerts = self.env['iot.alert'].sudo().search([
            ('milk_session_id', 'in', self.ids), ('source', '=', SOURCE), ('alert_type', '=', TWO_STALLS)])
        return self.browse({other.id for others in alerts.milk_session_id._overlaps().values() for other in others})

    @contextmanager
    def _animals_change(self):
        former = self._partners()
        with super()._animals_change():
            yield
        self._warn_of_overlaps(former)

    def _bridge_insert(self, entries):
        answer = super()._bridge_insert(entries)
        self.browse(entry.answer['id'] for entry in entries)._warn_of_overlaps()
        return answer

    def _bridge_update(self, entries):
        sessions = self.browse(entry.current_id for entry in entries)
        former = sessions._partners()
        answer = super()._bridge_update(entries)
        sessions._warn_of_overlaps(former)
        return answer

    def _warn_of_overlaps(self, former=()):
        """Raise the alerts of these milkings, and of those that they overlap with, and end those that hold no more; ``former`` are
        those that they overlapped with before."""
        # sudo: alerts follow from the milking, whoever brought it or chose its animal
        own = self.sudo().with_context(active_test=False, smart_dairy_batch=False)
        overlaps = own._overlaps()
        if not overlaps and not former:
            return
        own |= own.browse(session.id for session in former)
        overlaps = own._overlaps()
        for session, others in list(overlaps.items()):
            for other in others:
                if session not in overlaps.setdefault(other, other.browse()):
                    overlaps[other] += session
        Alert = own.env['iot.alert'].with_context(tracking_disable=True)
        known = {alert.milk_session_id: alert for alert in Alert.search([
            ('milk_session_id', 'in', list({*own.ids, *(session.id for session in overlaps)})), ('source', '=', SOURCE),
            ('alert_type', '=', TWO_STALLS)])}
        over = Alert.browse(alert.id for session, alert in known.items() if session not in overlaps and alert.state != 'resolved')
        again = Alert.browse(alert.id for session, alert in known.items() if session in overlaps and alert.cleared_at)
        over.write({'state': 'resolved', 'cleared_at': fields.Datetime.now(), 'state_user_id': False})
        again.write({'state': 'new', 'cleared_at': False, 'state_user_id': False})
        Alert.create([
            own._overlap_alert(session, others[0]) for session, others in overlaps.items() if session not in known])

    @api.model
    def _overlap_alert(self, session, other):
        said = {
            'animal': session.animal_id.display_name, 'stall': session.stall or session.device_id.display_name,
            'other': other.stall or other.device_id.display_name}
        # English, as the connector's own: whoever reads it gets it in their language, see iot_alert_text.
        return {
            'farm_id': session.farm_id.id, 'device_id': session.device_id.id, 'animal_id': session.animal_id.id,
            'rfid_tag': session.rfid_tag, 'milk_session_id': session.id, 'alert_type': TWO_STALLS, 'severity': 'medium', 'state': 'new',
            'message': MESSAGE % said, 'parameters': json.dumps(said, ensure_ascii=False),
            'raised_at': session.start_datetime, 'source': SOURCE, 'source_id': f'{session.id}/{TWO_STALLS}', 'revision': 0,
        }

    @api.model
    def _warn_of_late_overlaps(self):
        """Two calls at once do not see each other's milkings: the latest ones are looked at again."""
        self.env.cr.execute("SELECT max(id) FROM iot_milk_session")
        [last] = self.env.cr.fetchone()
        self.search([('id', '>', (last or 0) - LATEST)])._warn_of_overlaps()


class IotAlert(models.Model):
    _inherit = 'iot.alert'

    @api.model
    def _cron_complete_references(self):
        answer = super()._cron_complete_references()
        self.env['iot.milk.session']._warn_of_late_overlaps()
        return answer
