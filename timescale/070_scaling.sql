-- More than one connector: who leads, and news of devices for the caches of all of them.

-- One row a name that connectors contend for. Each takeover raises the epoch; a batch proves its epoch in its own transaction.
CREATE TABLE iot.connector_leader (
    name   text PRIMARY KEY,
    epoch  bigint NOT NULL,
    holder text NOT NULL,
    since  timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION iot.notify_device() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('iot_device', coalesce(NEW.id, OLD.id)::text);
    RETURN NULL;
END $$;

CREATE TRIGGER device_created AFTER INSERT OR DELETE ON iot.device
    FOR EACH ROW EXECUTE FUNCTION iot.notify_device();

-- Not when it was merely heard: that changes all the time and nobody caches it.
CREATE TRIGGER device_changed AFTER UPDATE OF farm_id, device_uid, device_type, profile, stall, state ON iot.device
    FOR EACH ROW WHEN ((OLD.farm_id, OLD.device_uid, OLD.device_type, OLD.profile, OLD.stall, OLD.state)
        IS DISTINCT FROM (NEW.farm_id, NEW.device_uid, NEW.device_type, NEW.profile, NEW.stall, NEW.state))
    EXECUTE FUNCTION iot.notify_device();
