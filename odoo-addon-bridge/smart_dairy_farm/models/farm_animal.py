# An animal of the herd with its identification (ear tag, RFID) and its lactation.
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.rfid import normalize_rfid, rfid_problem

# Animals in these states have left the herd.
GONE_STATES = ('sold', 'dead')


class FarmAnimal(models.Model):
    _name = 'farm.animal'
    _description = 'Animal'
    _inherit = ['mail.thread', 'mail.activity.mixin', 'image.mixin']
    _order = 'name, id'
    _rec_names_search = ['name', 'ear_tag', 'rfid_tag']
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True, help="Name or working number the farm calls the animal by.")
    active = fields.Boolean(default=True)
    # The tags of today; whose a tag was at another time is in tag_ids.
    ear_tag = fields.Char(
        compute='_compute_tags', inverse='_inverse_ear_tag', store=True, readonly=False, copy=False, tracking=True,
        index='btree_not_null', help="Number on the visual ear tag, unique on the farm.")
    rfid_tag = fields.Char(
        string='RFID', compute='_compute_tags', inverse='_inverse_rfid_tag', store=True, readonly=False, copy=False,
        tracking=True, index='btree_not_null',
        help="Electronic identification by ISO 11784/11785: 15 digits, the first three being the country "
             "(Bangladesh 050) or the manufacturer. Unique in the company.",
    )
    tag_ids = fields.One2many('farm.animal.tag', 'animal_id', string='Tags')
    breed_id = fields.Many2one('farm.breed', ondelete='restrict')
    sex = fields.Selection([('female', 'Female'), ('male', 'Male')], default='female', required=True)
    birth_date = fields.Date()
    age = fields.Char(compute='_compute_age', help="Age of the animal in years and months.")
    lactation_number = fields.Integer(
        tracking=True, aggregator='avg', help="How many lactations the animal has begun. 0 for heifers and calves.")
    last_calving_date = fields.Date(string='Last Calving', tracking=True)
    days_in_milk = fields.Integer(
        compute='_compute_days_in_milk', search='_search_days_in_milk',
        help="Days since the last calving, for lactating animals.",
    )
    state = fields.Selection(
        [('calf', 'Calf'), ('heifer', 'Heifer'), ('lactating', 'Lactating'), ('dry', 'Dry'), ('bull', 'Bull'),
         ('sold', 'Sold'), ('dead', 'Dead')],
        string='Status', default='lactating', required=True, tracking=True, index=True, group_expand=True,
    )
    state_since = fields.Datetime(
        string='Status since', readonly=True, copy=False, help="When the status was last changed. Empty: since it was entered.")
    in_herd = fields.Boolean(
        compute='_compute_in_herd', search='_search_in_herd', help="The animal is neither sold nor dead.")
    farm_id = fields.Many2one(
        'farm.farm', required=True, index=True, ondelete='restrict', tracking=True,
        default=lambda self: self._default_farm(),
    )
    pen_id = fields.Many2one(
        'farm.pen', index='btree_not_null', ondelete='set null', tracking=True,
        domain="[('farm_id', '=', farm_id)]", check_company=True,
    )
    company_id = fields.Many2one(related='farm_id.company_id', store=True, index=True)
    dam_id = fields.Many2one('farm.animal', domain="[('sex', '=', 'female')]", check_company=True)
    sire_id = fields.Many2one('farm.animal', domain="[('sex', '=', 'male')]", check_company=True)
    note = fields.Html(string='Notes')

    _rfid_company_uniq = models.UniqueIndex(
        '(company_id, rfid_tag) WHERE rfid_tag IS NOT NULL',
        "Another animal of this company already carries this RFID. Correct the number, or clear it on the other animal.")
    _ear_tag_farm_uniq = models.UniqueIndex(
        '(farm_id, ear_tag) WHERE ear_tag IS NOT NULL', "Another animal of this farm already has this ear tag.")
    _lactation_positive = models.Constraint(
        'CHECK(lactation_number >= 0)', "The lactation number cannot be negative.")

    @api.model
    def get_import_templates(self):
        return [{
            'label': self.env._("Import Template for Animals"), 'template': '/smart_dairy_farm/static/xls/farm_animal.xlsx',
        }]

    @api.model
    def _default_farm(self):
        """The farm, when there is only one to choose from."""
        farms = self.env['farm.farm'].search([('company_id', '=', self.env.company.id)], limit=2)
        return farms if len(farms) == 1 else False

    @api.constrains('rfid_tag')
    def _check_rfid_tag(self):
        for animal in self:
            if animal.rfid_tag and (problem := rfid_problem(animal.rfid_tag)):
                raise ValidationError(self.env._(
                    "RFID \"%(tag)s\" of %(animal)s: %(problem)s", tag=animal.rfid_tag, animal=animal.name,
                    problem=problem))

    @api.constrains('birth_date', 'last_calving_date')
    def _check_dates(self):
        today = fields.Date.context_today(self)
        for animal in self:
            if animal.birth_date and animal.birth_date > today:
                raise ValidationError(self.env._("%s cannot be born in the future.", animal.name))
            if animal.last_calving_date and animal.birth_date and animal.last_calving_date < animal.birth_date:
                raise ValidationError(self.env._("%s cannot have calved before its own birth.", animal.name))

    @api.constrains('pen_id', 'farm_id')
    def _check_pen_farm(self):
        for animal in self:
            if animal.pen_id and animal.pen_id.farm_id != animal.farm_id:
                raise ValidationError(self.env._(
                    "Pen %(pen)s is not on farm %(farm)s. Choose a pen of the animal's farm.",
                    pen=animal.pen_id.name, farm=animal.farm_id.name))

    @api.depends('tag_ids.kind', 'tag_ids.tag', 'tag_ids.valid_from', 'tag_ids.valid_to')
    def _compute_tags(self):
        for animal in self:
            animal.rfid_tag = animal._current_tag('rfid').tag
            animal.ear_tag = animal._current_tag('ear').tag

    def _inverse_rfid_tag(self):
        for animal in self:
            animal._change_tag('rfid', animal.rfid_tag)

    def _inverse_ear_tag(self):
        for animal in self:
            animal._change_tag('ear', animal.ear_tag)

    def _current_tag(self, kind):
        """The span of the tag of ``kind`` that was put on last and is still there."""
        current = self.tag_ids.filtered(lambda span: span.kind == kind and not span.valid_to)
        return current.sorted(lambda span: (span.valid_from or datetime.min, span._origin.id or 0))[-1:]

    def _change_tag(self, kind, tag):
        """From now on the animal carries ``tag`` in place of the one it had; what was before stays on record."""
        # sudo: who may write the animal says which tag it has, whatever their rights on the history
        own = self.sudo()
        current = own._current_tag(kind)
        if (current.tag or False) == (tag or False):
            return
        current.action_take_off()
        if tag and tag not in own.tag_ids.filtered(lambda span: span.kind == kind and not span.valid_to).mapped('tag'):
            scope = ('company_id', '=', own.company_id.id) if kind == 'rfid' else ('farm_id', '=', own.farm_id.id)
            # The first holder of a tag has always had it: what was read before it was entered is the animal's too.
            used = own.tag_ids.search_count([('kind', '=', kind), ('tag', '=', tag), scope], limit=1)
            own.tag_ids.create({
                'animal_id': own.id, 'kind': kind, 'tag': tag, 'valid_from': used and fields.Datetime.now()})

    @api.depends('birth_date')
    def _compute_age(self):
        today = fields.Date.context_today(self)
        for animal in self:
            if not animal.birth_date or animal.birth_date > today:
                animal.age = False
                continue
            born = animal.birth_date
            months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
            years, months = divmod(months, 12)
            animal.age = self.env._("%(years)s y %(months)s m", years=years, months=months)

    @api.depends('last_calving_date', 'state')
    def _compute_days_in_milk(self):
        today = fields.Date.context_today(self)
        for animal in self:
            in_milk = animal.state == 'lactating' and animal.last_calving_date
            animal.days_in_milk = max((today - animal.last_calving_date).days, 0) if in_milk else 0

    def _search_days_in_milk(self, operator, value):
        # More days in milk means an earlier calving, so the comparison turns round.
        turned = {'<': '>', '>': '<', '<=': '>=', '>=': '<='}.get(operator)
        if turned is None or not isinstance(value, (int, float)):
            return NotImplemented
        day = fields.Date.context_today(self) - timedelta(days=int(value))
        return [('state', '=', 'lactating'), ('last_calving_date', turned, day)]

    @api.depends('state')
    def _compute_in_herd(self):
        for animal in self:
            animal.in_herd = animal.state not in GONE_STATES

    def _search_in_herd(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return [('state', 'not in' if True in value else 'in', GONE_STATES)]

    @api.depends('name', 'ear_tag')
    def _compute_display_name(self):
        for animal in self:
            animal.display_name = f"{animal.name} ({animal.ear_tag})" if animal.ear_tag else animal.name

    @api.onchange('farm_id')
    def _onchange_farm_id(self):
        if self.pen_id.farm_id != self.farm_id:
            self.pen_id = False

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._clean_identification(vals) for vals in vals_list])

    def write(self, vals):
        vals = self._clean_identification(vals)
        turned = self.filtered(lambda animal: any(name in vals and animal[name] != vals[name] for name in ('state', 'active')))
        answer = super().write(vals)
        if turned:
            super(FarmAnimal, turned).write({'state_since': fields.Datetime.now()})
        return answer

    @api.model
    def _clean_identification(self, vals):
        """``vals`` with an RFID typed as '050 000 000 000 001' brought to 15 digits, and empty tags as no value."""
        vals = dict(vals)
        if 'rfid_tag' in vals:
            vals['rfid_tag'] = normalize_rfid(vals['rfid_tag'])
        if 'ear_tag' in vals:
            vals['ear_tag'] = (vals['ear_tag'] or '').strip() or False
        return vals

    def action_view_tags(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('smart_dairy_farm.farm_animal_tag_action')
        return {**action, 'domain': [('animal_id', '=', self.id)], 'context': {'default_animal_id': self.id}}

    def action_set_dry(self):
        self.write({'state': 'dry'})

    def action_calved(self):
        """A calving begins a new lactation today; the date can be corrected in the form."""
        today = fields.Date.context_today(self)
        for animal in self:
            animal.write({
                'state': 'lactating', 'last_calving_date': today, 'lactation_number': animal.lactation_number + 1})
