# Animals that have left the herd let go of the tags that they still had.
from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {'active_test': False, 'tracking_disable': True})
    env['farm.animal'].search([])._gone()._release()
