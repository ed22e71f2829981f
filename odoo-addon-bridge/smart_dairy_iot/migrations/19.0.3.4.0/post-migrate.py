# Animals have several lists now: the menu that opened the one stands above them. Time zones of farms come to the connector by its
# next full synchronisation, which its own migration asks for.


def migrate(cr, _version):
    cr.execute(
        """UPDATE ir_ui_menu m SET action = NULL FROM ir_model_data d
            WHERE d.module = 'smart_dairy_iot' AND d.name = 'menu_iot_animals' AND d.model = 'ir.ui.menu' AND d.res_id = m.id""")
