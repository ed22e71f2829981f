-- Tags of milkings, decided again whenever a read or a milking at the stall comes: the nearest read wins, not the first.
-- From `before` ahead of the start to the end, and never a tag read before the stall's previous milking was over.
-- Answers the tags of `session_ids` (null: none), and those of later milkings at their stalls and at `read_ids` that changed.
DROP FUNCTION iot.associate_rfid(bigint[], interval);
DROP FUNCTION iot.sessions_at_reads(integer[], text[], timestamptz[], interval);

CREATE FUNCTION iot.associate_tags(session_ids bigint[], read_ids bigint[], before interval)
    RETURNS TABLE (id bigint, rfid text)
    LANGUAGE sql AS $$
    WITH candidate AS (
        SELECT c.id, bool_or(c.asked) AS asked FROM (
            SELECT unnest(session_ids), true
            UNION ALL
            SELECT unnest(read_ids), false
            UNION ALL
            -- The end of a milking bounds the reads of the next ones.
            SELECT n.id, false
            FROM iot.milk_session t JOIN iot.milk_session n ON n.farm_id = t.farm_id AND n.stall = t.stall
             AND n.started_at BETWEEN t.started_at AND t.started_at + INTERVAL '2 hours'
            WHERE t.id = ANY (session_ids)
        ) c (id, asked) GROUP BY c.id
    ), found AS (
        SELECT me.id, c.asked, me.read_rfid AS known, (
            SELECT r.rfid FROM iot.rfid_read r
            WHERE r.farm_id = me.farm_id AND r.stall = me.stall
              AND r.time >= me.started_at - before
              AND r.time <= coalesce(me.ended_at, me.last_at)
              AND r.time > coalesce((SELECT max(coalesce(p.ended_at, p.last_at)) FROM iot.milk_session p
                                     WHERE p.farm_id = me.farm_id AND p.stall = me.stall AND NOT p.retired
                                       AND p.started_at < me.started_at
                                       AND p.started_at > me.started_at - INTERVAL '1 day'), '-infinity')
            ORDER BY abs(extract(epoch FROM r.time - me.started_at)), r.time, r.rfid LIMIT 1) AS tag
        FROM candidate c JOIN iot.milk_session me ON me.id = c.id
        WHERE NOT me.retired AND me.stall IS NOT NULL AND me.rfid IS NOT DISTINCT FROM me.read_rfid
    ), changed AS (
        UPDATE iot.milk_session s SET rfid = f.tag, read_rfid = f.tag
        FROM found f WHERE s.id = f.id AND f.tag IS DISTINCT FROM f.known
        RETURNING s.id
    )
    SELECT f.id, f.tag FROM found f WHERE f.asked OR f.id IN (SELECT c.id FROM changed c);
$$;

-- The milkings that a tag read at a stall could belong to, or belongs to no more.
CREATE FUNCTION iot.sessions_at_reads(farm_ids integer[], stalls text[], times timestamptz[], before interval)
    RETURNS SETOF bigint
    LANGUAGE sql STABLE AS $$
    SELECT DISTINCT s.id
    FROM unnest(farm_ids, stalls, times) AS r (farm_id, stall, time)
    JOIN iot.milk_session s ON s.farm_id = r.farm_id AND s.stall = r.stall AND NOT s.retired
     AND s.rfid IS NOT DISTINCT FROM s.read_rfid
     AND s.started_at BETWEEN r.time - INTERVAL '2 hours' AND r.time + before;
$$;
