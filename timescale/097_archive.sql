-- Archive: days of readings that were written to files before they were dropped.
ALTER TABLE iot.storage ADD COLUMN archiving boolean NOT NULL DEFAULT false;

CREATE TABLE iot.archived_day (
    -- UTC.
    day         date        PRIMARY KEY,
    file        text        NOT NULL,
    rows        bigint      NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    dropped_at  timestamptz,
    -- Brought back, and not dropped before this.
    keep_until  timestamptz
);

-- With archiving on, nothing but iot.drop_archived_day() drops readings; the database's own policy would not wait for the file.
CREATE FUNCTION iot.set_archiving(wanted boolean) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('iot.storage'));
    UPDATE iot.storage SET archiving = wanted WHERE archiving <> wanted;
    IF iot.has_policies('reading') AND wanted THEN
        PERFORM remove_retention_policy('iot.reading', if_exists => true);
    ELSIF iot.has_policies('reading') THEN
        PERFORM add_retention_policy('iot.reading', make_interval(days => (SELECT raw_days FROM iot.storage)),
            if_not_exists => true, initial_start => now() + INTERVAL '1 hour');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION iot.apply_retention() RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    state   iot.storage;
    dropped integer := 0;
BEGIN
    PERFORM iot.note_complete();
    SELECT * INTO state FROM iot.storage;
    IF NOT iot.has_policies('reading') AND NOT state.archiving THEN
        -- Never before it is rolled up.
        dropped := dropped + iot.drop_before('reading', least(now() - make_interval(days => state.raw_days), state.rolled_until));
    END IF;
    IF NOT iot.has_policies('rollup_15min') THEN
        dropped := dropped + iot.drop_before('rollup_15min', now() - make_interval(days => state.fifteen_minute_days));
        dropped := dropped + iot.drop_before('rollup_1h', now() - make_interval(days => state.hourly_days));
    END IF;
    RETURN dropped;
END $$;

-- UTC days with readings whose time is over, oldest first.
CREATE FUNCTION iot.days_to_archive() RETURNS SETOF date
    LANGUAGE plpgsql AS $$
DECLARE
    state  iot.storage;
    cutoff timestamptz;
    since  timestamptz := '-infinity';
    found  date;
BEGIN
    SELECT * INTO state FROM iot.storage;
    cutoff := now() - make_interval(days => state.raw_days);
    IF state.rollups = 'own' THEN
        cutoff := least(cutoff, state.rolled_until);
    END IF;
    cutoff := date_trunc('day', cutoff, 'UTC');
    LOOP
        SELECT (min(time) AT TIME ZONE 'UTC')::date INTO found FROM iot.reading WHERE time >= since AND time < cutoff;
        EXIT WHEN found IS NULL;
        IF NOT EXISTS (SELECT FROM iot.archived_day a WHERE a.day = found AND a.keep_until > now()) THEN
            RETURN NEXT found;
        END IF;
        since := (found + 1)::timestamp AT TIME ZONE 'UTC';
    END LOOP;
END $$;

-- Drops a day that has been archived with so many rows. False, and nothing is dropped, when it has other rows by now.
CREATE FUNCTION iot.drop_archived_day(wanted date, archived_rows bigint) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz := wanted::timestamp AT TIME ZONE 'UTC';
    until timestamptz := (wanted + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    PERFORM iot.note_complete();
    IF (SELECT count(*) FROM iot.reading WHERE time >= since AND time < until) <> archived_rows THEN
        RETURN false;
    END IF;
    IF iot.is_native('reading') THEN
        PERFORM set_config('lock_timeout', '3s', true);
        EXECUTE format('DROP TABLE iot.%I', 'reading_' || to_char(wanted, 'YYYYMMDD'));
    ELSE
        PERFORM drop_chunks('iot.reading'::regclass, older_than => until, newer_than => since);
    END IF;
    UPDATE iot.archived_day SET dropped_at = now(), keep_until = NULL WHERE day = wanted;
    RETURN true;
END $$;
