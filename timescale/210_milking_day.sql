-- One day rule, at one place: a milking belongs to the day of its start, by the clock of the farm. `zone` is that of iot.storage.
-- Plain expressions, which the planner puts in place of the calls.
CREATE FUNCTION iot.milking_day(started_at timestamptz, zone text) RETURNS date
    LANGUAGE sql IMMUTABLE AS $$ SELECT (started_at AT TIME ZONE zone)::date $$;

-- The moment at which a day begins in the zone.
CREATE FUNCTION iot.day_start(day date, zone text) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE AS $$ SELECT day::timestamp AT TIME ZONE zone $$;

CREATE OR REPLACE VIEW iot.milk_daily AS
SELECT iot.milking_day(s.started_at, z.timezone) AS day, f.code AS farm_code, s.rfid, s.animal_ref, d.device_uid,
       count(*) AS milkings, count(*) FILTER (WHERE s.complete) AS complete_milkings, coalesce(sum(s.yield_kg), 0) AS yield_kg
FROM iot.milk_session s
JOIN iot.farm f ON f.id = s.farm_id
JOIN iot.device d ON d.id = s.device_id
CROSS JOIN (SELECT timezone FROM iot.storage) z
WHERE s.closed AND NOT s.retired
GROUP BY 1, 2, 3, 4, 5;
