# Farms, pens and animals: the herd that other Smart Dairy addons build on.
{
    'name': 'Smart Dairy Farm',
    'version': '19.0.1.5.0',
    'category': 'Smart Dairy',
    'summary': 'Farms, pens and animals of a dairy business',
    'author': 'Smart Dairy',
    'maintainers': ['smart-dairy'],
    'images': ['static/description/banner.png'],
    'license': 'LGPL-3',
    'depends': ['base', 'mail', 'web'],
    'data': [
        'security/smart_dairy_farm_security.xml',
        'security/ir.model.access.csv',
        'data/res_lang_data.xml',
        'data/farm_breed_data.xml',
        'views/farm_animal_tag_views.xml',
        'views/farm_animal_views.xml',
        'views/farm_pen_views.xml',
        'views/farm_farm_views.xml',
        'views/farm_breed_views.xml',
        'views/smart_dairy_farm_menus.xml',
    ],
    'assets': {
        'web.assets_backend': ['smart_dairy_farm/static/src/**/*'],
    },
    'demo': [
        'demo/farm_demo.xml',
        'demo/farm_animal_demo.xml',
    ],
    'application': True,
}
