# What is there already: the link with the connector holds in this database, alerts get milkings that came after them.
from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    parameters = env['ir.config_parameter']
    if parameters.search_count([('key', '=like', 'smart\\_dairy.connector\\_%')], limit=1):
        env['iot.connector']._bind()
    # The key of a milking's alert is that of the milking, and its type.
    cr.execute(
        """UPDATE iot_alert a SET milk_session_ref = s.source_id
             FROM iot_milk_session s
            WHERE a.milk_session_ref IS NULL AND a.source = s.source AND a.company_id = s.company_id
              AND a.source_id = s.source_id || '/' || a.alert_type""")
    cr.execute("UPDATE iot_alert SET occurrences = 1, last_raised_at = raised_at, worst_severity = severity")
    env.invalidate_all()
    env['iot.alert']._complete_references()
    env['iot.alert'].search([('milk_session_id', '!=', False)])._follow_milkings()
    env['iot.alert'].search([('state', '!=', 'resolved')])._regroup()
