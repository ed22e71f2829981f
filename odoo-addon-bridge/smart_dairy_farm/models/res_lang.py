# Numbers in Bangla: 8,49,000.5. Odoo's own data writes 849000,5, with a decimal comma and nothing between thousands. The week of the
# calendar begins on Sunday in Bangladesh and India; Odoo's own data says Monday.
from odoo import api, models

AS_DELIVERED = {'grouping': '[3,0]', 'decimal_point': ',', 'thousands_sep': False}
AS_WRITTEN = {'grouping': '[3,2,0]', 'decimal_point': '.', 'thousands_sep': ',', 'week_start': '7'}


class ResLang(models.Model):
    _inherit = 'res.lang'

    @api.model
    def _write_bangla_numbers(self):
        """Bangla numbers, and the first day of the week, as people in Bangladesh and India write them, unless somebody has set them otherwise."""
        languages = self.with_context(active_test=False).search([('code', '=like', 'bn\\_%')])
        for language in languages:
            if all((language[name] or False) == value for name, value in AS_DELIVERED.items()):
                language.write(AS_WRITTEN)
