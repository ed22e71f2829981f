# What the tanker took, against what the meters said since it came before: when they drift apart, the meters are to be calibrated.
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..tools.drift import IN_A_ROW, is_drift, suspects
from ..tools.measured import MeasuredFloat
from .iot_device_upkeep import CALIBRATION_ACTIVITY, OUT_OF_USE


class FarmMilkCollection(models.Model):
    _name = 'farm.milk.collection'
    _description = 'Milk Collection'
    _inherit = ['mail.thread']
    _order = 'collected_at desc, id desc'
    # Whoever may see a collection may leave a note on it.
    _mail_post_access = 'read'

    farm_id = fields.Many2one('farm.farm', required=True, index=True, ondelete='cascade', tracking=True)
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    collected_at = fields.Datetime(string='Collected', required=True, default=fields.Datetime.now, tracking=True)
    collected_kg = MeasuredFloat(
        string='From the Tank (kg)', required=True, aggregator='sum', tracking=True,
        help="As on the dairy's slip. A litre of milk is about 1.03 kg.")
    reference = fields.Char(string='Slip Number', help="Number of the slip.", copy=False)
    metered_kg = MeasuredFloat(
        string='By the Meters (kg)', compute='_compute_metered', aggregator=None,
        help="Sum of the milkings since the collection before. Empty for the first one.")
    deviation = MeasuredFloat(
        string='Deviation (%)', compute='_compute_metered', aggregator=None, help="How far the meters are from the tank.")
    note = fields.Text(string='Remark')

    _moment_uniq = models.UniqueIndex('(farm_id, collected_at)', "There is already a collection of this farm at this time.")
    _kg_positive = models.Constraint('CHECK(collected_kg > 0)', "The amount must be more than 0 kg.")

    @api.constrains('collected_at')
    def _check_not_ahead(self):
        if any(row.collected_at > fields.Datetime.now() for row in self):
            raise ValidationError(self.env._("A collection cannot be in the future."))

    @api.depends('farm_id', 'collected_at', 'collected_kg')
    def _compute_metered(self):
        self.env['iot.milk.session'].flush_model(['active', 'farm_id', 'start_datetime', 'yield_kg'])
        self.flush_model(['farm_id', 'collected_at'])
        # SQL, because each collection has a time of its own.
        metered = dict(self.env.execute_query(SQL(
            """SELECT c.id, (SELECT sum(s.yield_kg) FROM iot_milk_session s
                              WHERE s.farm_id = c.farm_id AND s.active AND s.start_datetime >= before.at AND s.start_datetime < c.collected_at)
                 FROM farm_milk_collection c
                 JOIN LATERAL (SELECT max(p.collected_at) AS at FROM farm_milk_collection p
                                WHERE p.farm_id = c.farm_id AND p.collected_at < c.collected_at) AS before ON before.at IS NOT NULL
                WHERE c.id = ANY(%s)""", self.ids)))
        for row in self:
            kg = metered.get(row._origin.id)
            row.metered_kg = False if kg is None else kg
            row.deviation = False if kg is None or not row.collected_kg else 100 * (kg - row.collected_kg) / row.collected_kg

    @api.depends('farm_id', 'collected_at')
    @api.depends_context('tz')
    def _compute_display_name(self):
        for row in self:
            at = row.collected_at and fields.Datetime.context_timestamp(row, row.collected_at)
            row.display_name = ', '.join(filter(None, (row.farm_id.name, at and at.strftime('%Y-%m-%d %H:%M'))))

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows.farm_id._propose_calibration()
        return rows

    def write(self, vals):
        answer = super().write(vals)
        if {'farm_id', 'collected_at', 'collected_kg'} & set(vals):
            self.farm_id._propose_calibration()
        return answer

    def _suspects(self, last):
        """The meters that stand out from this collection until ``last``, by what the animals were expected to give."""
        meters = {row[0]: row[1:] for row in self.env.execute_query(SQL(
            """SELECT d.id, sum(s.yield_kg) FILTER (WHERE s.expected_yield_kg > 0) / nullif(sum(s.expected_yield_kg), 0),
                      count(s.expected_yield_kg)
                 FROM iot_device d JOIN iot_milk_session s ON s.device_id = d.id
                WHERE d.farm_id = %s AND d.active AND d.state NOT IN %s AND s.active AND s.yield_kg IS NOT NULL
                  AND s.start_datetime >= %s AND s.start_datetime < %s
                GROUP BY d.id ORDER BY d.id""", self.farm_id.id, OUT_OF_USE, self.collected_at, last.collected_at))}
        return self.env['iot.device'].browse(suspects(meters))


class FarmFarm(models.Model):
    _inherit = 'farm.farm'

    def _propose_calibration(self):
        """An activity on each meter that may be the one, when the latest collections of a farm show a drift."""
        for farm in self:
            # sudo: who enters a collection need not be allowed to plan for others
            latest = self.env['farm.milk.collection'].sudo().search(
                [('farm_id', '=', farm.id)], limit=IN_A_ROW + 1).sorted('collected_at')
            known = [None if row.deviation is False else row.deviation for row in latest]
            if not is_drift(known):
                continue
            text = self.env._(
                "The meters of %(farm)s are off the tank: %(deviations)s %% at the last collections. Calibrate this one.",
                farm=farm.name, deviations=', '.join(f'{deviation:+.1f}' for deviation in known[-IN_A_ROW:]))
            for meter in latest[0]._suspects(latest[-1]).filtered(lambda meter: not meter._is_to_calibrate()):
                person = meter.user_id or farm.manager_id or self.env.ref('base.user_admin')
                meter.activity_schedule(
                    CALIBRATION_ACTIVITY, fields.Date.context_today(meter), note=text, user_id=person.id)


class IotDevice(models.Model):
    _inherit = 'iot.device'

    def _is_to_calibrate(self):
        """Whether somebody is to calibrate this device already."""
        kind = self.env.ref(CALIBRATION_ACTIVITY)
        return bool(self.activity_ids.filtered(lambda activity: activity.activity_type_id == kind))
