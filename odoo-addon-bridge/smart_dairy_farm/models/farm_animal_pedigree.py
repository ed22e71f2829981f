# What cannot be in a pedigree: an animal among its own ancestors, a parent of the wrong sex, a parent that was a child itself.
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

# In calf (or at stud) at half a year at the earliest, and nine months until the calf is there. Buffaloes are later.
YOUNGEST_PARENT = timedelta(days=450)


class FarmAnimal(models.Model):
    _inherit = 'farm.animal'

    @api.constrains('birth_date', 'last_calving_date')
    def _check_calving(self):
        for animal in self.filtered('last_calving_date'):
            if animal.last_calving_date > animal.farm_id._today():
                raise ValidationError(self.env._("%s cannot have calved in the future.", animal.name))
            if animal.birth_date and animal.birth_date <= animal.last_calving_date < animal.birth_date + YOUNGEST_PARENT:
                raise ValidationError(self.env._(
                    "%(animal)s, born on %(birth)s, was too young to calve on %(calving)s.", animal=animal.name,
                    birth=animal.birth_date, calving=animal.last_calving_date))

    @api.constrains('dam_id', 'sire_id')
    def _check_ancestors(self):
        """No animal descends from itself, whether by dams, by sires or by both."""
        self.flush_model(['dam_id', 'sire_id'])
        # SQL, because the line may go through animals that rules hide or that are archived.
        rows = self.env.execute_query(SQL(
            """WITH RECURSIVE line (animal, ancestor) AS (
                   SELECT a.id, parent.id
                     FROM farm_animal a CROSS JOIN LATERAL (VALUES (a.dam_id), (a.sire_id)) AS parent (id)
                    WHERE a.id = ANY(%s) AND parent.id IS NOT NULL
                    UNION
                   SELECT line.animal, parent.id
                     FROM line JOIN farm_animal a ON a.id = line.ancestor
                          CROSS JOIN LATERAL (VALUES (a.dam_id), (a.sire_id)) AS parent (id)
                    WHERE parent.id IS NOT NULL)
               SELECT animal FROM line WHERE animal = ancestor LIMIT 1""", self.ids))
        for [animal_id] in rows:
            raise ValidationError(self.env._(
                "%s would be its own ancestor: look at its dam and sire, and at theirs.", self.browse(animal_id).name))

    @api.constrains('dam_id', 'sire_id', 'sex', 'birth_date')
    def _check_parents(self):
        own = self.with_context(active_test=False)
        for calf in own | own.search(['|', ('dam_id', 'in', self.ids), ('sire_id', 'in', self.ids)]):
            if calf.dam_id.sex == 'male':
                raise ValidationError(self.env._(
                    "%(dam)s is male, and so not the dam of %(calf)s.", dam=calf.dam_id.name, calf=calf.name))
            if calf.sire_id.sex == 'female':
                raise ValidationError(self.env._(
                    "%(sire)s is female, and so not the sire of %(calf)s.", sire=calf.sire_id.name, calf=calf.name))
            for parent in calf.dam_id | calf.sire_id:
                if calf.birth_date and parent.birth_date and calf.birth_date < parent.birth_date + YOUNGEST_PARENT:
                    raise ValidationError(self.env._(
                        "%(parent)s, born on %(born)s, was too young to be a parent of %(calf)s, born on %(birth)s.",
                        parent=parent.name, born=parent.birth_date, calf=calf.name, birth=calf.birth_date))
