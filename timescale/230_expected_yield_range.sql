-- A yield beyond the range of the catalogue is no yield: it counts in no animal's mean. Else as in 200_animal_tags.sql.
CREATE OR REPLACE FUNCTION iot.expected_yields(session_ids bigint[], days integer, minimum integer)
    RETURNS TABLE (id bigint, expected_kg double precision)
    LANGUAGE sql STABLE AS $$
    WITH most AS MATERIALIZED (
        SELECT coalesce((SELECT valid_max FROM iot.metric WHERE name = 'milk_yield'), 'infinity') AS kg
    ), asked AS MATERIALIZED (
        SELECT s.id, s.farm_id, s.started_at, coalesce(s.rfid, s.animal_ref) AS tag,
               iot.animal_at(s.farm_id, s.rfid, s.animal_ref, s.started_at) AS animal
        FROM iot.milk_session s WHERE s.id = ANY (session_ids)
    ), told AS MATERIALIZED (
        -- Whose they were as their record was last published.
        SELECT s.farm_id, s.started_at, coalesce(s.record ->> 'rfid', s.record ->> 'animal_ref') AS tag,
               iot.animal_at(s.farm_id, s.record ->> 'rfid', s.record ->> 'animal_ref', s.started_at) AS animal
        FROM iot.milk_session s
        WHERE s.id = ANY (session_ids) AND coalesce(s.record ->> 'rfid', s.record ->> 'animal_ref') <> coalesce(s.rfid, s.animal_ref, '')
    ), subject AS (
        SELECT a.farm_id, a.animal, CASE WHEN a.animal IS NULL THEN a.tag END AS tag, min(a.started_at) AS from_at,
               max(a.started_at) AS until_at
        FROM asked a WHERE a.tag IS NOT NULL GROUP BY 1, 2, 3
        UNION
        SELECT b.farm_id, b.animal, CASE WHEN b.animal IS NULL THEN b.tag END, b.started_at, b.started_at FROM told b
    ), later AS MATERIALIZED (
        SELECT DISTINCT m.id, m.farm_id, m.started_at, coalesce(m.rfid, m.animal_ref) AS tag, b.animal
        FROM subject b
        CROSS JOIN LATERAL iot.milkings_of(b.farm_id, b.animal, b.tag, b.from_at, b.until_at + make_interval(days => days)) m
        WHERE m.started_at > b.from_at AND m.revision > 0 AND NOT m.retired
          AND NOT EXISTS (SELECT FROM asked a WHERE a.id = m.id)
    ), mean AS (
        SELECT w.id, w.asked, (
            -- numeric: the mean is the same in whatever order the rows are read.
            SELECT CASE WHEN count(*) >= minimum THEN avg(h.yield_kg::numeric)::double precision END
            FROM iot.milkings_of(w.farm_id, w.animal, w.tag, w.started_at - make_interval(days => days), w.started_at) h
            WHERE h.started_at < w.started_at AND h.complete AND h.id <> w.id AND h.yield_kg <= most.kg) AS kg
        FROM most, (SELECT a.*, true FROM asked a UNION ALL SELECT l.*, false FROM later l) w (id, farm_id, started_at, tag, animal, asked)
    )
    SELECT m.id, m.kg FROM mean m JOIN iot.milk_session s ON s.id = m.id
    WHERE m.asked OR round(m.kg::numeric, 3) IS DISTINCT FROM (s.record ->> 'expected_yield_kg')::numeric;
$$;
