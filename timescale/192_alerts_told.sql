-- Whether Odoo hears of a device's alerts: only when somebody has registered it. Alerts without a device are about the farm.
CREATE FUNCTION iot.is_told(device integer) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT device IS NULL OR EXISTS (SELECT FROM iot.device d WHERE d.id = device AND d.state = 'registered')
$$;

-- What was raised before counts from the registration on.
CREATE FUNCTION iot.tell_alerts() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM iot.outbox_put(array_agg('alert'::text), array_agg(alert_key), array_agg(revision), array_agg(record))
    FROM iot.alert WHERE device_id = NEW.id AND state <> 'resolved' HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_alerts AFTER UPDATE OF state ON iot.device FOR EACH ROW
    WHEN (NEW.state = 'registered' AND OLD.state = 'discovered') EXECUTE FUNCTION iot.tell_alerts();
