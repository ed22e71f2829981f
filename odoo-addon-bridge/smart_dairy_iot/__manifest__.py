# Devices, milkings and alerts that the Smart Dairy connector brings into Odoo.
{
    'name': 'Smart Dairy IoT',
    'version': '19.0.2.0.0',
    'category': 'Smart Dairy',
    'summary': 'Milkings, devices and alerts straight from the milking parlour',
    'description': """
Receives curated records from the Smart Dairy connector: every milking with its animal, yield
and quality, the devices of the farm with their connection state, and alerts. Unidentified
milkings are kept and corrected here by choosing the animal.
""",
    'author': 'Smart Dairy',
    'license': 'LGPL-3',
    'depends': ['smart_dairy_farm', 'mail'],
    # These own a model of the same name (iot.device).
    'excludes': ['iot', 'iot_oca'],
    'data': [
        'security/smart_dairy_iot_security.xml',
        'security/ir.model.access.csv',
        'data/mail_activity_type_data.xml',
        'data/ir_cron_data.xml',
        'views/iot_milk_session_views.xml',
        'views/iot_device_views.xml',
        'views/iot_device_assignment_views.xml',
        'views/iot_device_calibration_views.xml',
        'views/iot_device_tag_views.xml',
        'views/iot_location_views.xml',
        'views/iot_threshold_views.xml',
        'views/iot_alert_views.xml',
        'views/farm_views.xml',
        'wizards/iot_sync_views.xml',
        'wizards/iot_onboarding_views.xml',
        'views/smart_dairy_iot_menus.xml',
    ],
    'application': True,
    'installable': True,
}
