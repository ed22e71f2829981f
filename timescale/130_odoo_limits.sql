-- News for every connector on this database: limits that changed, and kinds that Odoo says have changed (`iot_pull`, sent by
-- whichever connector Odoo called, heard by the one that pulls).
CREATE FUNCTION iot.notify_limits() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('iot_limits', '');
    RETURN NULL;
END $$;

CREATE TRIGGER odoo_threshold_changed AFTER INSERT OR UPDATE OR DELETE ON iot.odoo_threshold
    FOR EACH ROW EXECUTE FUNCTION iot.notify_limits();

ALTER TABLE iot.device
    -- A person has registered or refused it in Odoo: what is entered there counts, and the configuration only fills gaps.
    ADD COLUMN is_kept_in_odoo boolean NOT NULL DEFAULT false,
    -- A person has deleted it there. It comes back when it talks again, not because it is missing.
    ADD COLUMN deleted_in_odoo_at timestamptz;

-- Odoo says false for "no value"; limits are kept with null from now on.
UPDATE iot.odoo_threshold SET record = (
    SELECT jsonb_object_agg(key, CASE WHEN value = 'false' AND key <> 'active' THEN 'null' ELSE value END)
    FROM jsonb_each(record));

-- Who keeps a device comes with the next pull.
UPDATE iot.odoo_cursor SET full_pass = true WHERE kind = 'device';
