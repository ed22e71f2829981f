-- A yield beyond the range of the catalogue is no yield: it counts in no animal's mean.
CREATE OR REPLACE FUNCTION iot.expected_yields(session_ids bigint[], days integer, minimum integer)
    RETURNS TABLE (id bigint, expected_kg double precision)
    LANGUAGE sql STABLE AS $$
    WITH most AS (
        SELECT coalesce((SELECT valid_max FROM iot.metric WHERE name = 'milk_yield'), 'infinity') AS kg
    ), wanted AS (
        SELECT s.id, s.farm_id, s.started_at, coalesce(s.rfid, s.animal_ref) AS animal, true AS asked
        FROM iot.milk_session s WHERE s.id = ANY (session_ids)
    ), animal AS (
        SELECT w.farm_id, w.animal, min(w.started_at) AS from_at, max(w.started_at) AS until_at
        FROM wanted w WHERE w.animal IS NOT NULL GROUP BY 1, 2
        UNION
        SELECT s.farm_id, coalesce(s.record ->> 'rfid', s.record ->> 'animal_ref'), s.started_at, s.started_at
        FROM iot.milk_session s
        WHERE s.id = ANY (session_ids) AND coalesce(s.record ->> 'rfid', s.record ->> 'animal_ref') <> coalesce(s.rfid, s.animal_ref, '')
    ), later AS (
        SELECT DISTINCT s.id, s.farm_id, s.started_at, coalesce(s.rfid, s.animal_ref), false
        FROM animal a JOIN iot.milk_session s ON s.farm_id = a.farm_id AND coalesce(s.rfid, s.animal_ref) = a.animal
         AND s.started_at > a.from_at AND s.started_at <= a.until_at + make_interval(days => days)
        WHERE s.revision > 0 AND NOT s.retired AND NOT EXISTS (SELECT FROM wanted w WHERE w.id = s.id)
    ), mean AS (
        SELECT w.id, w.asked, (
            -- numeric: the mean is the same in whatever order the rows are read.
            SELECT CASE WHEN count(*) >= minimum THEN avg(h.yield_kg::numeric)::double precision END
            FROM iot.milk_session h
            WHERE h.farm_id = w.farm_id AND coalesce(h.rfid, h.animal_ref) = w.animal
              AND h.started_at >= w.started_at - make_interval(days => days) AND h.started_at < w.started_at
              AND h.complete AND h.id <> w.id AND h.yield_kg <= most.kg) AS kg
        FROM most, (SELECT * FROM wanted UNION ALL SELECT * FROM later) w (id, farm_id, started_at, animal, asked)
    )
    SELECT m.id, m.kg FROM mean m JOIN iot.milk_session s ON s.id = m.id
    WHERE m.asked OR round(m.kg::numeric, 3) IS DISTINCT FROM (s.record ->> 'expected_yield_kg')::numeric;
$$;
