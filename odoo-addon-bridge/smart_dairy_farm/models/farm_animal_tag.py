# Which animal carried which tag, and from when to when: the time of an event decides whose it was.
from collections import defaultdict
from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.rfid import normalize_rfid, rfid_problem

# Clocks of people's devices and of the server differ a little.
CLOCK_SLACK = timedelta(minutes=5)


class Holders:
    """Spans of tags, and whose a tag was at a moment."""

    def __init__(self, spans):
        self._by_tag, self._by_number = defaultdict(list), defaultdict(list)
        for span in spans:
            known = self._by_tag if span.kind == 'rfid' else self._by_number
            known[span.company_id.id, span.tag].append(
                (span.valid_from or datetime.min, span.valid_to or datetime.max, span.kind, span.farm_id.id,
                 span.animal_id.id))

    def animal_id(self, company_id, farm_id, moment, tag, number):
        """Id of the animal that had the RFID ``tag``, else the ``number`` on ear tag or collar, at ``moment``; False if none."""
        for _start, _end, _kind, _farm, animal_id in self._then(self._by_tag, company_id, tag, moment):
            return animal_id
        # Short numbers repeat between farms of one company: the own farm first, elsewhere only when it is the only one.
        then = list(self._then(self._by_number, company_id, number, moment))
        own = [span for span in then if span[3] == farm_id]
        if own:
            return max(own, key=lambda span: span[2] == 'ear')[4]
        animals = {span[4] for span in then}
        return animals.pop() if len(animals) == 1 else False

    def former_animal_id(self, company_id, farm_id, moment, tag, number):
        """Id of the animal that last carried the RFID ``tag``, else the ``number`` on this farm, before ``moment``; False if none."""
        past = [span for span in self._by_tag.get((company_id, tag), ()) if span[1] <= moment] or [
            span for span in self._by_number.get((company_id, number), ()) if span[1] <= moment and span[3] == farm_id]
        return max(past, key=lambda span: span[1])[4] if past else False

    @staticmethod
    def _then(known, company_id, tag, moment):
        if not tag:
            return ()
        return (span for span in known.get((company_id, tag), ()) if span[0] <= moment < span[1])


class FarmAnimalTag(models.Model):
    _name = 'farm.animal.tag'
    _description = 'Tag of an Animal'
    _order = 'valid_from desc nulls last, id desc'
    _rec_name = 'tag'

    animal_id = fields.Many2one('farm.animal', required=True, index=True, ondelete='cascade')
    kind = fields.Selection(
        [('rfid', 'RFID'), ('ear', 'Ear Tag'), ('collar', 'Collar')], default='rfid', required=True,
        help="RFID: electronic identification of 15 digits, one in the company.\nEar tag, collar: the number on it, one on "
             "the farm.")
    tag = fields.Char(string='Number', required=True, index=True)
    valid_from = fields.Datetime(
        string='Put On', help="Empty: the animal has had it for as long as anybody knows.")
    valid_to = fields.Datetime(string='Taken Off', help="Empty while the animal carries it.")
    is_current = fields.Boolean(string='Carried Now', compute='_compute_is_current', search='_search_is_current')
    farm_id = fields.Many2one(related='animal_id.farm_id', store=True, precompute=True)
    company_id = fields.Many2one(related='animal_id.company_id', store=True, index=True, precompute=True)
    note = fields.Char(string='Remark')

    # The database refuses overlaps, also those of two people who save at the same moment. The number and where it has to be
    # the only one stand in the hash; ranges of integers have a GiST class of their own, which saves the extension btree_gist.
    _no_overlap = models.Constraint(
        """EXCLUDE USING gist (
             int8range(hashtextextended(kind || ' ' || tag, CASE kind WHEN 'rfid' THEN company_id ELSE farm_id END),
                       hashtextextended(kind || ' ' || tag, CASE kind WHEN 'rfid' THEN company_id ELSE farm_id END), '[]')
               WITH &&, tsrange(valid_from, valid_to) WITH &&)""",
        "Another animal carries this number in this time. Enter there when it was taken off.")
    _order_of_times = models.Constraint(
        'CHECK(valid_to IS NULL OR valid_from IS NULL OR valid_to > valid_from)',
        "A tag must be taken off after it was put on.")

    @api.depends('valid_to')
    def _compute_is_current(self):
        for span in self:
            span.is_current = not span.valid_to

    def _search_is_current(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return [('valid_to', '=' if True in value else '!=', False)]

    @api.constrains('kind', 'tag')
    def _check_tag(self):
        for span in self:
            if span.kind == 'rfid' and (problem := rfid_problem(span.tag)):
                raise ValidationError(self.env._(
                    "RFID \"%(tag)s\" of %(animal)s: %(problem)s", tag=span.tag, animal=span.animal_id.name, problem=problem))

    @api.constrains('valid_from', 'valid_to')
    def _check_not_ahead(self):
        latest = fields.Datetime.now() + CLOCK_SLACK
        for span in self:
            if any(moment and moment > latest for moment in (span.valid_from, span.valid_to)):
                raise ValidationError(self.env._(
                    "%s: a time lies in the future. Enter a change of a tag when it is made.", span.tag))

    @api.model_create_multi
    def create(self, vals_list):
        # The database looks for overlaps: an end that was just written has to be there before the next begin.
        self.flush_model(['kind', 'tag', 'valid_from', 'valid_to'])
        return super().create([self._clean(vals, vals.get('kind') or 'rfid') for vals in vals_list])

    def write(self, vals):
        self.flush_model(['kind', 'tag', 'valid_from', 'valid_to'])
        if 'tag' not in vals:
            return super().write(vals)
        for span in self:
            super(FarmAnimalTag, span).write(self._clean(vals, vals.get('kind') or span.kind))
        return True

    @api.model
    def _clean(self, vals, kind):
        tag = vals.get('tag')
        return {**vals, 'tag': normalize_rfid(tag) if kind == 'rfid' else (tag or '').strip() or False}

    def action_take_off(self):
        """The animal has just lost it, or it was taken off."""
        now = fields.Datetime.now()
        current = self.filtered('is_current')
        never = current.filtered(lambda span: span.valid_from and span.valid_from >= now)
        (current - never).write({'valid_to': now})
        # sudo: put on this very second, they never were; who may end a span need not be allowed to delete history
        never.sudo().unlink()

    @api.model
    def _holders(self, company_ids, tags, numbers):
        """``Holders`` of these RFID tags and numbers on ear tags or collars."""
        spans = self.browse()
        read = ['company_id', 'farm_id', 'animal_id', 'kind', 'tag', 'valid_from', 'valid_to']
        for operator, wanted in (('=', tags), ('!=', numbers)):
            if wanted:
                spans |= self.search_fetch(
                    [('kind', operator, 'rfid'), ('tag', 'in', list(wanted)), ('company_id', 'in', list(company_ids))], read)
        return Holders(spans)
