# What the connector gets to know of farms, pens, animals and their tags.
from odoo import models
from odoo.tools import SQL

# Tables whose pulled records carry the code of the farm.
CARRIERS = ('farm_pen', 'farm_animal', 'iot_device_assignment', 'iot_threshold')


class FarmFarm(models.Model):
    _name = 'farm.farm'
    _inherit = ['farm.farm', 'iot.pulled.mixin']

    _pull_kind = 'farm'
    _pull_fields = frozenset(('active', 'code', 'name', 'state', 'company_id', 'tz'))

    def _pull_key(self):
        return {'farm': self.code}

    def _pull_values(self):
        return {
            'code': self.code, 'farm': self.code, 'name': self.name, 'state': self.state, 'company_id': self.company_id.id,
            'tz': self.tz,
        }

    def write(self, vals):
        renamed = self.filtered(lambda farm: 'code' in vals and farm.code != vals['code'])
        answer = super().write(vals)
        if renamed:
            renamed._pull_again()
        return answer

    def _pull_again(self):
        """What stands on a renamed farm has another key now, so the connector has to see it again."""
        now = self.env.cr.now()
        self.env.flush_all()
        for table in CARRIERS:
            self.env.cr.execute(SQL(
                "UPDATE %s SET write_date = %s WHERE farm_id IN %s", SQL.identifier(table), now, tuple(self.ids)))
        self.env.cr.execute(SQL("UPDATE iot_device SET changed_at = %s WHERE farm_id IN %s", now, tuple(self.ids)))
        self.env.invalidate_all()


class FarmPen(models.Model):
    _name = 'farm.pen'
    _inherit = ['farm.pen', 'iot.pulled.mixin']

    _pull_kind = 'pen'
    _pull_fields = frozenset(('active', 'name', 'farm_id', 'purpose', 'capacity'))

    def _pull_key(self):
        return {'farm': self.farm_id.code, 'name': self.name}

    def _pull_values(self):
        return {**self._pull_key(), 'purpose': self.purpose, 'capacity': self.capacity}


class FarmAnimal(models.Model):
    _name = 'farm.animal'
    _inherit = ['farm.animal', 'iot.pulled.mixin']

    _pull_kind = 'animal'
    _pull_fields = frozenset((
        'active', 'name', 'ear_tag', 'rfid_tag', 'farm_id', 'pen_id', 'state', 'sex', 'birth_date', 'lactation_number',
        'last_calving_date'))

    def _pull_key(self):
        return {'farm': self.farm_id.code, 'rfid_tag': self.rfid_tag, 'ear_tag': self.ear_tag}

    def _pull_values(self):
        def day(date):
            return date and date.isoformat()
        return {
            **self._pull_key(), 'name': self.name, 'pen': self.pen_id.name, 'pen_id': self.pen_id.id, 'state': self.state,
            'sex': self.sex, 'birth_date': day(self.birth_date), 'lactation_number': self.lactation_number,
            'last_calving_date': day(self.last_calving_date),
        }


class FarmAnimalTag(models.Model):
    _name = 'farm.animal.tag'
    _inherit = ['farm.animal.tag', 'iot.pulled.mixin']

    _pull_kind = 'animal_tag'
    _pull_fields = frozenset(('animal_id', 'kind', 'tag', 'valid_from', 'valid_to'))

    def _pull_key(self):
        return {'farm': self.farm_id.code, 'kind': self.kind, 'tag': self.tag}

    def _pull_values(self):
        return {
            'animal_id': self.animal_id.id, 'kind': self.kind, 'tag': self.tag,
            'valid_from': self.valid_from and str(self.valid_from), 'valid_to': self.valid_to and str(self.valid_to),
        }
