-- Milkings. `stats` accumulates what was measured, metric by metric; `record` is what was last published, as `revision`.
CREATE TABLE iot.milk_session (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   integer     NOT NULL REFERENCES iot.device,
    farm_id     integer     NOT NULL REFERENCES iot.farm,
    session_key text        NOT NULL,
    wire_id     text        NOT NULL,
    stall       text,
    rfid        text,
    animal_ref  text,
    started_at  timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    ended_at    timestamptz,
    heard_at    timestamptz NOT NULL DEFAULT now(),
    closed      boolean     NOT NULL DEFAULT false,
    complete    boolean     NOT NULL DEFAULT false,
    stats       jsonb       NOT NULL DEFAULT '{}',
    yield_kg    double precision,
    record      jsonb,
    revision    integer     NOT NULL DEFAULT 0,
    UNIQUE (device_id, session_key)
);
CREATE INDEX milk_session_wire_idx ON iot.milk_session (device_id, wire_id);
CREATE INDEX milk_session_device_idx ON iot.milk_session (device_id, started_at);
CREATE INDEX milk_session_open_idx ON iot.milk_session (heard_at) WHERE NOT closed;
CREATE INDEX milk_session_stall_idx ON iot.milk_session (farm_id, stall, started_at);
CREATE INDEX milk_session_animal_idx ON iot.milk_session (farm_id, coalesce(rfid, animal_ref), started_at);
CREATE INDEX milk_session_started_idx ON iot.milk_session (started_at);

-- Tags read at a stall.
CREATE TABLE iot.rfid_read (
    device_id integer     NOT NULL REFERENCES iot.device,
    time      timestamptz NOT NULL,
    farm_id   integer     NOT NULL REFERENCES iot.farm,
    stall     text        NOT NULL,
    rfid      text        NOT NULL,
    PRIMARY KEY (device_id, time, rfid)
);
CREATE INDEX rfid_read_stall_idx ON iot.rfid_read (farm_id, stall, time);

-- Gives unidentified milkings the tag read at their stall: from `before` ahead of the start to the end, and never a tag
-- read before the stall's previous milking was over, which belongs to the previous animal.
CREATE FUNCTION iot.associate_rfid(session_ids bigint[], before interval) RETURNS TABLE (id bigint, rfid text)
    LANGUAGE sql AS $$
    UPDATE iot.milk_session s SET rfid = found.rfid
    FROM iot.milk_session me
    CROSS JOIN LATERAL (
        SELECT r.rfid FROM iot.rfid_read r
        WHERE r.farm_id = me.farm_id AND r.stall = me.stall
          AND r.time >= me.started_at - before
          AND r.time <= coalesce(me.ended_at, me.last_at)
          AND r.time > coalesce((SELECT max(p.last_at) FROM iot.milk_session p
                                 WHERE p.farm_id = me.farm_id AND p.stall = me.stall
                                   AND p.started_at < me.started_at
                                   AND p.started_at > me.started_at - INTERVAL '1 day'), '-infinity')
        ORDER BY abs(extract(epoch FROM r.time - me.started_at)) LIMIT 1
    ) found
    WHERE me.id = ANY (session_ids) AND me.rfid IS NULL AND me.stall IS NOT NULL AND s.id = me.id
    RETURNING s.id, s.rfid;
$$;

-- The unidentified milkings that a tag read at a stall could belong to.
CREATE FUNCTION iot.sessions_at_reads(farm_ids integer[], stalls text[], times timestamptz[], before interval)
    RETURNS SETOF bigint
    LANGUAGE sql STABLE AS $$
    SELECT DISTINCT s.id
    FROM unnest(farm_ids, stalls, times) AS r (farm_id, stall, time)
    JOIN iot.milk_session s ON s.farm_id = r.farm_id AND s.stall = r.stall AND s.rfid IS NULL
     AND s.started_at BETWEEN r.time - INTERVAL '2 hours' AND r.time + before;
$$;

-- Mean yield of an animal's complete milkings in the days before each of these milkings; null below `minimum` milkings.
CREATE FUNCTION iot.expected_yield(session_ids bigint[], days integer, minimum integer)
    RETURNS TABLE (id bigint, expected_kg double precision)
    LANGUAGE sql STABLE AS $$
    SELECT s.id, (
        SELECT CASE WHEN count(*) >= minimum THEN avg(h.yield_kg) END
        FROM iot.milk_session h
        WHERE h.farm_id = s.farm_id AND coalesce(h.rfid, h.animal_ref) = coalesce(s.rfid, s.animal_ref)
          AND h.started_at >= s.started_at - make_interval(days => days) AND h.started_at < s.started_at
          AND h.complete AND h.id <> s.id)
    FROM iot.milk_session s WHERE s.id = ANY (session_ids);
$$;
