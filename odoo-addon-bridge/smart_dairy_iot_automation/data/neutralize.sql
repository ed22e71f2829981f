-- The secret address of the connector, and the rules that it wakes.
DELETE FROM ir_config_parameter
 WHERE key = 'smart_dairy.connector_hook';
UPDATE base_automation
   SET active = false
 WHERE id IN (SELECT res_id
                FROM ir_model_data
               WHERE module = 'smart_dairy_iot_automation' AND model = 'base.automation' AND name <> 'rule_feeding_order');
