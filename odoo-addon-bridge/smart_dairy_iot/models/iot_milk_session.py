# One milking of one animal, as the connector curated it. Who it was, when the tag does not say, is in iot_milk_session_correction.
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..tools.measured import MeasuredFloat, MeasuredInteger

# What a correction decides. Later revisions from the connector leave these alone.
CORRECTED_FIELDS = ('animal_id', 'identification', 'expected_yield_kg', 'is_abnormal')
# What follows from a person's choice of the animal, and is not written by hand.
JUDGED_FIELDS = frozenset(('identification', 'corrected_by_id', 'corrected_on'))

# More than any cow gives at a time; as the range of milk_yield in the connector's catalogue.
MOST_KG = 100

# As in the connector: messages of one number that are no further apart are of one milking.
LONGEST_MILKING = timedelta(minutes=30)


class IotMilkSession(models.Model):
    _name = 'iot.milk.session'
    _description = 'Milking'
    _inherit = ['iot.bridge.mixin']
    _order = 'start_datetime desc, id desc'
    _rec_names_search = ['animal_id.name', 'animal_id.ear_tag', 'rfid_tag', 'source_id']

    _bridge_fields = (
        'rfid_tag', 'animal_ref', 'stall', 'start_datetime', 'end_datetime', 'duration_seconds', 'yield_kg',
        'average_flow', 'peak_flow', 'conductivity', 'milk_temperature', 'fat_percentage', 'protein_percentage',
        'lactose_percentage', 'somatic_cell_count', 'blood', 'vacuum_pressure', 'pulsation_rate', 'quality_grade',
        'expected_yield_kg', 'is_abnormal', 'abnormal_percent', 'expected_days', 'expected_least', 'milking_of_day',
        'is_complete', 'has_clock_doubt', 'has_conflict', 'is_void',
    )
    _bridge_references = ('farm', 'device_uid', 'device_type')
    _bridge_required = ('farm', 'start_datetime')
    _bridge_finds_animal = True
    _bridge_moment = 'start_datetime'

    farm_id = fields.Many2one('farm.farm', required=True, ondelete='restrict')
    company_id = fields.Many2one(related='farm_id.company_id', store=True)
    device_id = fields.Many2one('iot.device', index='btree_not_null', ondelete='restrict')
    stall = fields.Char(help="Milking stall of the parlour.")
    animal_id = fields.Many2one(
        'farm.animal', ondelete='restrict',
        domain="[('farm_id', '=', farm_id), ('sex', '=', 'female'), ('in_herd', '=', True)]")
    rfid_tag = fields.Char(string='RFID Read', help="Transponder number that was read at the stall.")
    animal_ref = fields.Char(string='Animal as Sent', help="Animal number as the device itself sent it.")
    identification = fields.Selection(
        [('identified', 'Identified'), ('unidentified', 'Unidentified'), ('corrected', 'Corrected')],
        default='unidentified', required=True,
        help="Identified: the animal was found by its RFID or ear tag.\nUnidentified: nobody knows yet which animal "
             "this was.\nCorrected: a person has chosen the animal; the connector no longer changes it.",
    )
    corrected_by_id = fields.Many2one('res.users', string='Corrected by', readonly=True, copy=False)
    corrected_on = fields.Datetime(readonly=True, copy=False)
    start_datetime = fields.Datetime(string='Start', required=True, index=True)
    end_datetime = fields.Datetime(string='End')
    duration_seconds = MeasuredInteger(string='Duration (s)', aggregator='avg')
    duration_minutes = fields.Float(
        string='Duration', compute='_compute_duration_minutes', help="Duration in minutes and seconds.")
    milking_of_day = fields.Selection(
        [('morning', 'Morning'), ('midday', 'Midday'), ('evening', 'Evening')], string='Milking')
    is_complete = fields.Boolean(
        string='Complete', help="The end of the milking was seen, and its yield. Without it the milking was closed after silence, or its "
                                "meter told no yield that can be: the yield may be too low.")
    # Archived, not deleted: a later message can bring it back, and the connector knows it by its key.
    active = fields.Boolean(
        default=True, readonly=True, copy=False,
        help="A milking that turned out to be none is archived: it counts nowhere, and is found with the filter No Milking.")
    is_void = fields.Boolean(
        string='No Milking', readonly=True, copy=False,
        help="Its messages turned out to belong to other milkings, and its milk is counted there. It was shown until a "
             "message came that told so.")
    has_conflict = fields.Boolean(
        string='Contradictory', readonly=True,
        help="The meter said different things about this milking, such as two animals or two yields at one moment, and "
             "nothing tells which is right. Compare it with what was seen in the parlour.")
    has_clock_doubt = fields.Boolean(
        string='Clock in Doubt', readonly=True,
        help="The meter's clock was not set when it sent this. The milk counts, but the time of the milking may be wrong.")
    yield_kg = MeasuredFloat(string='Yield (kg)', aggregator='sum')
    expected_yield_kg = MeasuredFloat(
        string='Expected (kg)', aggregator='avg',
        help="Mean yield of the animal's milkings in the days before this one.")
    yield_deviation = MeasuredFloat(
        string='Deviation (%)', compute='_compute_yield_deviation', aggregator=None,
        help="How far the yield is from the expected yield.")
    is_abnormal = fields.Boolean(
        string='Abnormal', help="The yield is further from the expected yield than the limit of this milking allows.")
    # The connector's rule as it was in force: a correction here is judged by the same one, and by no other.
    abnormal_percent = MeasuredFloat(
        string='Limit of Deviation (%)', aggregator=None, readonly=True,
        help="A milking is abnormal when it deviates further than this. The connector's setting at the time.")
    expected_days = MeasuredInteger(
        string='Days of the Expected Yield', aggregator=None, readonly=True,
        help="How many days before the milking the expected yield is the mean of.")
    expected_least = MeasuredInteger(
        string='Least Milkings', aggregator=None, readonly=True,
        help="Fewer milkings than this in these days give no expected yield.")
    average_flow = MeasuredFloat(string='Average Flow (kg/min)', aggregator='avg')
    peak_flow = MeasuredFloat(string='Peak Flow (kg/min)', aggregator='max')
    conductivity = MeasuredFloat(
        string='Conductivity (mS/cm)', aggregator='avg',
        help="Electrical conductivity of the milk. Above 6.5 mS/cm an udder infection is possible.")
    milk_temperature = MeasuredFloat(string='Milk Temperature (°C)', aggregator='avg')
    fat_percentage = MeasuredFloat(string='Fat (%)', aggregator='avg')
    protein_percentage = MeasuredFloat(string='Protein (%)', aggregator='avg')
    lactose_percentage = MeasuredFloat(string='Lactose (%)', aggregator='avg')
    somatic_cell_count = MeasuredInteger(
        string='SCC (cells/mL)', aggregator='avg',
        help="Somatic cell count. Milk above 400,000 cells/mL is rejected.")
    blood = MeasuredFloat(string='Blood (%)', aggregator='max')
    vacuum_pressure = MeasuredFloat(string='Vacuum (kPa)', aggregator='avg')
    pulsation_rate = MeasuredFloat(string='Pulsation (cycles/min)', aggregator='avg')
    quality_grade = fields.Selection(
        [('A', 'A'), ('B', 'B'), ('C', 'C'), ('reject', 'Reject')], string='Grade')
    note = fields.Text(string='Remark')
    alert_ids = fields.One2many('iot.alert', 'milk_session_id', string='Alerts')

    # Every index costs the connector's inserts; these are the questions that the screens ask.
    _farm_start = models.Index('(farm_id, start_datetime)')
    _unidentified = models.Index("(start_datetime) WHERE identification = 'unidentified'")
    _animal_start = models.Index('(animal_id, start_datetime) WHERE animal_id IS NOT NULL')
    _yield_positive = models.Constraint('CHECK(yield_kg >= 0)', "The yield of a milking cannot be negative.")
    _duration_positive = models.Constraint(
        'CHECK(duration_seconds >= 0)', "The duration of a milking cannot be negative.")
    _end_after_start = models.Constraint(
        'CHECK(end_datetime >= start_datetime)', "A milking cannot end before it starts.")

    @api.depends('duration_seconds')
    def _compute_duration_minutes(self):
        for session in self:
            session.duration_minutes = (session.duration_seconds or 0) / 60

    @api.depends('yield_kg', 'expected_yield_kg')
    def _compute_yield_deviation(self):
        for session in self:
            known = session.expected_yield_kg and session.yield_kg is not False
            session.yield_deviation = known and 100 * (session.yield_kg / session.expected_yield_kg - 1)

    @api.depends('animal_id', 'start_datetime', 'stall')
    @api.depends_context('tz')
    def _compute_display_name(self):
        for session in self:
            start = session.start_datetime and fields.Datetime.context_timestamp(session, session.start_datetime)
            parts = (
                session.animal_id.name or self.env._("Unidentified"), start and start.strftime('%Y-%m-%d %H:%M'))
            session.display_name = ', '.join(part for part in parts if part)

    def _check_yield(self):
        # No constraint: what a meter says stays as it was said, and the connector raises an alert of it. A person can be asked.
        for session in self:
            if session.yield_kg and session.yield_kg > MOST_KG:
                raise ValidationError(self.env._(
                    "%(yielded)s kg in one milking cannot be: no cow gives more than %(most)s kg at a time.",
                    yielded=f'{session.yield_kg:g}', most=MOST_KG))

    # -- what people do ----------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        by_hand = not self._is_connector()
        for vals in vals_list:
            if by_hand:
                # Written out, because values come from the context too (default_identification).
                vals.update(dict.fromkeys(JUDGED_FIELDS, False), identification=False)
            if not vals.get('identification'):
                vals['identification'] = 'identified' if vals.get('animal_id') else 'unidentified'
        sessions = super().create(vals_list)
        if by_hand:
            sessions._check_yield()
        return sessions

    def write(self, vals):
        by_hand = not self._is_connector()
        if by_hand:
            self._check_measurements_kept(vals)
        if 'animal_id' not in vals or 'identification' in vals:
            answer = super().write(vals)
        else:
            # A person has chosen, or cleared, the animal: each milking gets its own expectation.
            answer = super().write({**vals, **self._correction(vals['animal_id'])})
            for values, sessions in self._expectations():
                super(IotMilkSession, sessions).write(values)
        if by_hand and 'yield_kg' in vals:
            self._check_yield()
        return answer

    def _check_measurements_kept(self, vals):
        """What a machine measured stays as measured by the hands of all but the IoT administrator."""
        if not JUDGED_FIELDS.isdisjoint(vals):
            raise AccessError(self.env._("Who chose the animal of a milking, and when, follows from the choice and is not written by hand."))
        touched = set(vals) & {*self._bridge_fields, 'active', 'farm_id', 'device_id'}
        if (not touched or not any(session.source for session in self)
                or self.env.user.has_group('smart_dairy_iot.group_iot_admin')):
            return
        labels = ', '.join(self._fields[name].string for name in sorted(touched))
        raise AccessError(self.env._(
            "Measured values of a milking cannot be changed by hand: %s. Choose the animal, or write a remark.", labels))

    def action_view_animal(self):
        self.ensure_one()
        return {'type': 'ir.actions.act_window', 'res_model': 'farm.animal', 'res_id': self.animal_id.id,
                'view_mode': 'form', 'views': [(False, 'form')]}

    # -- what the connector does -------------------------------------------------------------------

    def _bridge_problems(self, values):
        problems = [
            f"{name}: {values[name]} is negative" for name in ('yield_kg', 'duration_seconds')
            if values.get(name) is not None and values[name] < 0
        ]
        end = values.get('end_datetime')
        if end and end < values['start_datetime']:
            problems.append(f"end_datetime: {end} is before start_datetime {values['start_datetime']}")
        return problems

    def _bridge_values(self, entry):
        values = super()._bridge_values(entry)
        values['identification'] = 'identified' if values['animal_id'] else 'unidentified'
        values['active'] = not values.get('is_void')
        return values

    def _bridge_changes(self, record, entry):
        values = super()._bridge_changes(record, entry)
        if values['is_void'] == record.is_void:
            # What somebody has archived stays so.
            values.pop('active')
        if record.identification == 'corrected' and record._is_at_time_of(entry.values):
            for name in CORRECTED_FIELDS:
                values.pop(name)
        elif record.identification == 'corrected':
            # The key is another milking's now, and what a person has said was not of that one.
            values.update(corrected_by_id=False, corrected_on=False)
        return {name: value for name, value in values.items() if name in CORRECTED_FIELDS or not self._is_kept(record[name], value)}

    @staticmethod
    def _is_kept(known, value):
        """Whether nothing changes: most of a revision is as before, and writing a field costs ten times this question. Zero is not
        False here, which means that nothing was measured."""
        return type(known) is type(value) and known == value

    def _is_at_time_of(self, values):
        """Whether ``values`` are of this milking, by their times: meters use one number for several milkings."""
        start, end = self.start_datetime, self.end_datetime or self.start_datetime
        other_start, other_end = values['start_datetime'], values.get('end_datetime') or values['start_datetime']
        return other_start <= end + LONGEST_MILKING and other_end >= start - LONGEST_MILKING
