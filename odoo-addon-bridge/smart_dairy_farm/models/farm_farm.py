# A farm: the place that pens, animals and (with Smart Dairy IoT) devices belong to.
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..tools.copies import free_code, free_name

# The code is one level of the MQTT topic of every device of the farm, so nothing else can be allowed.
CODE_PATTERN = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]{0,63}')


class FarmFarm(models.Model):
    _name = 'farm.farm'
    _description = 'Farm'
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'code, id'
    # Whoever may see a farm may leave a note on it.
    _mail_post_access = 'read'

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(
        required=True, copy=False, tracking=True, index=True,
        help="Short name of the farm in device messages, such as farm1. Letters, digits, hyphen and underscore.",
    )
    active = fields.Boolean(default=True)
    state = fields.Selection(
        [('discovered', 'Discovered'), ('active', 'Active'), ('closed', 'Closed')],
        string='Status', default='active', required=True, tracking=True,
        help="Discovered: a device reported this farm code before anybody had entered the farm. Check it and confirm.",
    )
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company,
        help="Company that runs the farm. Everything on the farm belongs to the same company.",
    )
    manager_id = fields.Many2one('res.users', string='Farm Manager', tracking=True, domain="[('share', '=', False)]")
    address_id = fields.Many2one('res.partner')
    note = fields.Html(string='Notes')
    pen_ids = fields.One2many('farm.pen', 'farm_id', string='Pens')
    animal_ids = fields.One2many('farm.animal', 'farm_id', string='Animals')
    animal_count = fields.Integer(string='Animals in Herd', compute='_compute_animal_counts')
    lactating_count = fields.Integer(string='Lactating Animals', compute='_compute_animal_counts')
    pen_count = fields.Integer(string='Number of Pens', compute='_compute_pen_count')

    _code_company_uniq = models.Constraint(
        'unique(code, company_id)', "Another farm of this company already has this code. Choose a different code.")

    @api.constrains('code')
    def _check_code(self):
        for farm in self:
            if not CODE_PATTERN.fullmatch(farm.code or ''):
                raise ValidationError(self.env._(
                    "Farm code \"%s\" cannot be used in device messages. Use up to 64 letters, digits, hyphens "
                    "and underscores, starting with a letter or digit.", farm.code))

    @api.depends('animal_ids.state')
    def _compute_animal_counts(self):
        counts = dict.fromkeys(self.ids, (0, 0))
        for farm, state, count in self.env['farm.animal']._read_group(
            [('farm_id', 'in', self.ids), ('in_herd', '=', True)], ['farm_id', 'state'], ['__count'],
        ):
            total, lactating = counts[farm.id]
            counts[farm.id] = (total + count, lactating + (count if state == 'lactating' else 0))
        for farm in self:
            farm.animal_count, farm.lactating_count = counts.get(farm.id, (0, 0))

    @api.depends('pen_ids')
    def _compute_pen_count(self):
        counts = dict(self.env['farm.pen']._read_group([('farm_id', 'in', self.ids)], ['farm_id'], ['__count']))
        for farm in self:
            farm.pen_count = counts.get(farm, 0)

    def copy_data(self, default=None):
        """A duplicate has a code and a name of its own: devices talk by the code of one farm only."""
        vals_list = super().copy_data(default)
        # sudo: a code that the user does not see is taken all the same
        farms = self.sudo().with_context(active_test=False).search([('company_id', 'in', self.company_id.ids)])
        codes, names = set(farms.mapped('code')), set(farms.mapped('name'))
        for farm, vals in zip(self, vals_list):
            if not (default or {}).get('code'):
                vals['code'] = free_code(farm.code, codes)
                codes.add(vals['code'])
            if not (default or {}).get('name'):
                vals['name'] = free_name(self.env, farm.name, names)
                names.add(vals['name'])
        return vals_list

    def write(self, vals):
        if 'company_id' not in vals:
            return super().write(vals)
        before = self._awaited_companies()
        answer = super().write(vals)
        self._take_along({
            field: ids - before.get(field, set()) for field, ids in self._awaited_companies().items()})
        return answer

    def _awaited_companies(self):
        """``{field: ids}`` of the records whose company is still to be worked out from that of their farm."""
        return {
            field: set(self.env.records_to_compute(field)._ids) for field in list(self.env.fields_to_compute())
            if field.name == 'company_id' and field.related}

    def _take_along(self, awaited):
        """Give what stands on these farms to their company: all tables in one query. Record by record, years of milkings would take
        some minutes."""
        parts, company = [], self.company_id
        for number, (field, ids) in enumerate((field, ids) for field, ids in awaited.items() if ids):
            records = self.env[field.model_name].browse(ids)
            self.env.remove_to_compute(field, records)
            records.invalidate_recordset(['company_id', 'write_date', 'write_uid'], flush=False)
            parts.append(SQL(
                "%s AS (UPDATE %s SET company_id = %s, write_date = %s, write_uid = %s WHERE id = ANY(%s))",
                SQL.identifier(f'moved_{number}'), SQL.identifier(records._table), company.id, self.env.cr.now(),
                self.env.uid, list(ids)))
        if parts:
            self.env.cr.execute(SQL("WITH %s SELECT", SQL(", ").join(parts)))

    def action_confirm(self):
        """Accept a farm that was discovered through its devices."""
        self.write({'state': 'active'})

    def action_close(self):
        self.write({'state': 'closed'})

    def action_view_animals(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_farm.farm_animal_action')
        return dict(action, domain=[('farm_id', 'in', self.ids)], context={
            'default_farm_id': self.id, 'search_default_in_herd': 1})

    def action_view_pens(self):
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_farm.farm_pen_action')
        return dict(action, domain=[('farm_id', 'in', self.ids)], context={'default_farm_id': self.id})
