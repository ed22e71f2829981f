# Ready-made automation rules that tell the connector what has changed, by Odoo's own webhook action.
{
    'name': 'Smart Dairy IoT: Automation Rules',
    'version': '19.0.1.2.0',
    'category': 'Smart Dairy',
    'summary': 'Webhooks to the connector: animal tags, device states, limits, acknowledged alerts; feeding orders to the dispenser',
    'author': 'Smart Dairy',
    'maintainers': ['smart-dairy'],
    'images': ['static/description/banner.png'],
    'license': 'LGPL-3',
    'depends': ['smart_dairy_iot', 'base_automation'],
    'data': ['data/base_automation_data.xml'],
    'auto_install': True,
}
