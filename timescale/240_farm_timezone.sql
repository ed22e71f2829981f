-- A farm's own time zone, as Odoo keeps it; null: that of iot.storage (milk.timezone). Its days run in it from then on: the part of the
-- day of a milking that is over stays as it was told.
ALTER TABLE iot.farm ADD COLUMN timezone text;

CREATE FUNCTION iot.notify_farm_zones() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('iot_farm_zones', '');
    RETURN NULL;
END $$;

CREATE TRIGGER farm_zone_given AFTER INSERT ON iot.farm
    FOR EACH ROW WHEN (NEW.timezone IS NOT NULL) EXECUTE FUNCTION iot.notify_farm_zones();
CREATE TRIGGER farm_zone_changed AFTER UPDATE ON iot.farm
    FOR EACH ROW WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone OR OLD.code <> NEW.code)
    EXECUTE FUNCTION iot.notify_farm_zones();

CREATE OR REPLACE VIEW iot.milk_daily AS
SELECT iot.milking_day(s.started_at, coalesce(f.timezone, z.timezone)) AS day, f.code AS farm_code, s.rfid, s.animal_ref,
       d.device_uid, count(*) AS milkings, count(*) FILTER (WHERE s.complete) AS complete_milkings,
       coalesce(sum(s.yield_kg), 0) AS yield_kg
FROM iot.milk_session s
JOIN iot.farm f ON f.id = s.farm_id
JOIN iot.device d ON d.id = s.device_id
CROSS JOIN (SELECT timezone FROM iot.storage) z
WHERE s.closed AND NOT s.retired
GROUP BY 1, 2, 3, 4, 5;

-- Zones of farms that Odoo has already come with the next pull.
UPDATE iot.odoo_cursor SET full_pass = true WHERE kind = 'farm';
