-- Which animal carried which tag, and from when to when, as Odoo says it (farm.animal.tag): the time of an event decides whose it
-- was. By the animal's id in Odoo, because a span may come before its animal. A span takes in its start, not its end.
CREATE TABLE iot.animal_tag (
    odoo_id        bigint PRIMARY KEY,
    animal_odoo_id bigint NOT NULL,
    -- rfid, or what else has a number: ear, collar.
    kind           text   NOT NULL,
    tag            text   NOT NULL,
    -- -infinity: for as long as anybody knows; infinity: it still does.
    valid_from     timestamptz NOT NULL,
    valid_to       timestamptz NOT NULL
);
CREATE INDEX animal_tag_tag_idx ON iot.animal_tag (tag);
CREATE INDEX animal_tag_animal_idx ON iot.animal_tag (animal_odoo_id);

-- The animal (its id in Odoo) that had the RFID, else the number on ear tag or collar, at a moment; null for none. As Odoo decides it:
-- short numbers repeat between farms, so the own farm comes first, and elsewhere it has to be the only one.
CREATE FUNCTION iot.animal_at(of_farm integer, of_rfid text, of_number text, moment timestamptz) RETURNS bigint
    LANGUAGE sql STABLE AS $$
    WITH held AS (
        SELECT t.animal_odoo_id AS animal, t.kind, t.kind = 'rfid' AS is_rfid, coalesce(a.farm_id = of_farm, false) AS is_own
        FROM iot.animal_tag t LEFT JOIN iot.animal a ON a.odoo_id = t.animal_odoo_id
        WHERE t.tag = CASE WHEN t.kind = 'rfid' THEN of_rfid ELSE of_number END AND t.tag IN (of_rfid, of_number)
          AND moment >= t.valid_from AND moment < t.valid_to
    )
    SELECT coalesce(
        (SELECT h.animal FROM held h WHERE h.is_rfid AND h.is_own LIMIT 1),
        (SELECT min(h.animal) FROM held h WHERE h.is_rfid HAVING count(DISTINCT h.animal) = 1),
        (SELECT h.animal FROM held h WHERE NOT h.is_rfid AND h.is_own ORDER BY h.kind = 'ear' DESC, h.animal LIMIT 1),
        (SELECT min(h.animal) FROM held h WHERE NOT h.is_rfid HAVING count(DISTINCT h.animal) = 1));
$$;

-- The milkings on a farm of an animal by all of its tags, each in its time; where nobody is known to have the tag then, those with
-- the same tag that nobody had either.
CREATE FUNCTION iot.milkings_of(of_farm integer, animal bigint, read_tag text, from_at timestamptz, until_at timestamptz)
    RETURNS SETOF iot.milk_session
    LANGUAGE sql STABLE AS $$
    SELECT s.* FROM iot.milk_session s
    WHERE animal IS NULL AND s.farm_id = of_farm AND coalesce(s.rfid, s.animal_ref) = read_tag
      AND s.started_at >= from_at AND s.started_at <= until_at
      AND (NOT EXISTS (SELECT FROM iot.animal_tag t WHERE t.tag IN (s.rfid, s.animal_ref))
           OR iot.animal_at(s.farm_id, s.rfid, s.animal_ref, s.started_at) IS NULL)
    UNION ALL
    SELECT m.* FROM iot.animal_tag t JOIN iot.milk_session m
      ON m.farm_id = of_farm AND coalesce(m.rfid, m.animal_ref) = t.tag AND (m.rfid IS NOT NULL) = (t.kind = 'rfid')
     AND m.started_at >= greatest(from_at, t.valid_from) AND m.started_at <= until_at AND m.started_at < t.valid_to
    WHERE t.animal_odoo_id = animal
      -- An RFID is one in the company; a number may be another animal's too, or stand on ear tag and collar of this one.
      AND (t.kind = 'rfid' OR iot.animal_at(m.farm_id, m.rfid, m.animal_ref, m.started_at) = animal AND NOT EXISTS (
          SELECT FROM iot.animal_tag o
          WHERE o.animal_odoo_id = t.animal_odoo_id AND o.tag = t.tag AND o.kind <> 'rfid' AND o.odoo_id < t.odoo_id
            AND m.started_at >= o.valid_from AND m.started_at < o.valid_to));
$$;

-- Mean yield of the animal's complete milkings in the days before each of these milkings; null below `minimum` milkings.
-- And of later milkings of the same animals, where it is no longer what their record says: late milkings and corrections
-- change what was to be expected after them.
CREATE OR REPLACE FUNCTION iot.expected_yields(session_ids bigint[], days integer, minimum integer)
    RETURNS TABLE (id bigint, expected_kg double precision)
    LANGUAGE sql STABLE AS $$
    WITH asked AS MATERIALIZED (
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
            WHERE h.started_at < w.started_at AND h.complete AND h.id <> w.id) AS kg
        FROM (SELECT a.*, true FROM asked a UNION ALL SELECT l.*, false FROM later l) w (id, farm_id, started_at, tag, animal, asked)
    )
    SELECT m.id, m.kg FROM mean m JOIN iot.milk_session s ON s.id = m.id
    WHERE m.asked OR round(m.kg::numeric, 3) IS DISTINCT FROM (s.record ->> 'expected_yield_kg')::numeric;
$$;
