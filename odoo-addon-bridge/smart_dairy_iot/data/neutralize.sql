-- A copy has no way to the connector and the connector none to the copy: both are made anew, see docs/odoo.md.
DELETE FROM ir_config_parameter
 WHERE key IN ('smart_dairy.connector_url', 'smart_dairy.connector_secret', 'smart_dairy.connector_hook',
               'smart_dairy.connector_database');
DELETE FROM res_users_apikeys
 WHERE user_id IN (SELECT id FROM res_users WHERE login = 'smart_dairy_connector');

-- Copied by PostgreSQL's own tools it has the identity of the original, and the connector could not tell them apart.
UPDATE ir_config_parameter
   SET value = gen_random_uuid()::text
 WHERE key = 'database.uuid';

-- What people ordered in the original is carried out there.
UPDATE farm_feeding_order
   SET state = 'cancelled', result = 'neutralized copy of a database'
 WHERE state = 'confirmed';
UPDATE iot_device_command
   SET state = 'failed', detail = 'neutralized copy of a database', send_before = NULL
 WHERE state = 'queued';
