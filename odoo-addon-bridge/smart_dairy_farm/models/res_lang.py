# Numbers in Bangla: 8,49,000.5. Odoo's own data writes 849000,5, with a decimal comma and nothing between thousands.
from odoo import api, models

AS_DELIVERED = {'grouping': '[3,0]', 'decimal_point': ',', 'thousands_sep': False}
AS_WRITTEN = {'grouping': '[3,2,0]', 'decimal_point': '.', 'thousands_sep': ','}


class ResLang(models.Model):
    _inherit = 'res.lang'

    @api.model
    def _write_bangla_numbers(self):
        """Bangla numbers as people in Bangladesh and India write them, unless somebody has set them otherwise."""
        languages = self.with_context(active_test=False).search([('code', '=like', 'bn\\_%')])
        for language in languages:
            if all((language[name] or False) == value for name, value in AS_DELIVERED.items()):
                language.write(AS_WRITTEN)
