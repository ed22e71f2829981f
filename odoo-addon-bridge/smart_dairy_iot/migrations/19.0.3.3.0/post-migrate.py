# Devices come off animals that have left the herd; limits that nothing was ever held against are archived, and say why.
from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {'active_test': False, 'tracking_disable': True})
    env['farm.animal'].search([])._gone()._release()
    for limit in env['iot.threshold'].search([('active', '=', True)]):
        if problem := limit._without_effect():
            limit.active = False
            limit.message_post(body=problem)
