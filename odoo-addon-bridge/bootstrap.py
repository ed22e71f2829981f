# Run by `odoo shell -d DB --no-http < bootstrap.py`: integration user and API key for the connector, see docs/odoo.md.
env['iot.bridge.setup']._bootstrap()  # noqa: F821 the shell provides env
