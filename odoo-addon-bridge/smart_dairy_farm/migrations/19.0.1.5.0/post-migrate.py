# Animals have several lists now: the menu that opened the one stands above them.


def migrate(cr, _version):
    cr.execute(
        """UPDATE ir_ui_menu m SET action = NULL FROM ir_model_data d
            WHERE d.module = 'smart_dairy_farm' AND d.name = 'menu_farm_animals' AND d.model = 'ir.ui.menu' AND d.res_id = m.id""")
