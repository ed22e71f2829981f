-- Keeping rollups right: new time is rolled up once it is 20 minutes old; what arrives later is marked and computed again.

-- Hours that got late readings. Append-only and without a unique key, so that writers never wait for each other or for a refresh.
CREATE TABLE iot.rollup_dirty (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hour      timestamptz NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Marks the hours of these moments. The writer calls it in the transaction of the readings, for those older than 10 minutes;
-- the other 10 until they are rolled up are for slow transactions and clocks that differ.
CREATE FUNCTION iot.mark_late(times timestamptz[]) RETURNS void
    LANGUAGE sql AS $$
    INSERT INTO iot.rollup_dirty (hour) SELECT DISTINCT iot.bucket_of('1 hour', at) FROM unnest(times) AS at
$$;

-- Writes merged or summed rows; rows that say the same already are left alone. Readings are never deleted one by one, so
-- no bucket ever has to go.
CREATE FUNCTION iot.put_rollups(relation text, query text, since timestamptz, until timestamptz) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    month      timestamptz;
    next_month timestamptz;
BEGIN
    IF since >= until THEN
        RETURN;
    END IF;
    IF iot.is_native(relation) THEN
        month := date_trunc('month', since, 'UTC');
        WHILE month < until LOOP
            next_month := date_trunc('month', month + INTERVAL '32 days', 'UTC');
            PERFORM iot.make_partition(relation, month, next_month);
            month := next_month;
        END LOOP;
    END IF;
    EXECUTE format($sql$
        INSERT INTO iot.%1$I AS old (bucket, device_id, metric_id, n, sum, min, max, first, last, stddev)
        SELECT bucket, device_id, metric_id, n, sum, min, max, first, last, stddev FROM (%2$s) AS fresh
        ON CONFLICT (device_id, metric_id, bucket) DO UPDATE SET (n, sum, min, max, first, last, stddev) =
            (excluded.n, excluded.sum, excluded.min, excluded.max, excluded.first, excluded.last, excluded.stddev)
        WHERE (old.n, old.sum, old.min, old.max, old.first, old.last)
            IS DISTINCT FROM (excluded.n, excluded.sum, excluded.min, excluded.max, excluded.first, excluded.last)$sql$,
        relation, query) USING since, until;
END $$;

-- Own rollups of [since, until), given that everything before `stored` is to be stored: hours and days only when whole.
CREATE FUNCTION iot.roll(since timestamptz, until timestamptz, stored timestamptz) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    hour timestamptz := iot.bucket_of('1 hour', since);
    day  timestamptz := iot.bucket_of('1 day', since);
    last timestamptz := until - INTERVAL '1 second';
BEGIN
    PERFORM iot.put_rollups('rollup_15min', 'SELECT * FROM iot.sum_readings($1, $2)', since, until);
    PERFORM iot.put_rollups('rollup_1h', iot.merge_sql('1 hour', 'iot.rollup_15min', '$1', '$2'), hour,
        least(iot.bucket_of('1 hour', stored), iot.bucket_of('1 hour', last) + INTERVAL '1 hour'));
    PERFORM iot.put_rollups('rollup_1d', iot.merge_sql('1 day', 'iot.rollup_1h', '$1', '$2'), day,
        least(iot.bucket_of('1 day', stored), iot.bucket_of('1 day', last) + INTERVAL '1 day'));
END $$;

-- The marked hour that is due, with its marks. Senders that catch up mark an hour again and again: wait until they have `settle`d.
CREATE FUNCTION iot.due_hour(settle interval, OUT due timestamptz, OUT marks bigint[])
    LANGUAGE sql STABLE AS $$
    SELECT hour, array_agg(id) FROM iot.rollup_dirty GROUP BY hour
    HAVING max(marked_at) <= clock_timestamp() - settle OR min(marked_at) < clock_timestamp() - 10 * settle
    ORDER BY hour LIMIT 1
$$;

-- One step of the own rollups: up to six hours of new time, or one late hour. False when there is nothing (more) to do.
CREATE FUNCTION iot.roll_step(settle interval) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    target timestamptz := iot.bucket_of('15 minutes', now() - INTERVAL '20 minutes');
    state  iot.storage;
    late   record;
    until  timestamptz;
BEGIN
    -- Another connector may be at it.
    IF NOT pg_try_advisory_xact_lock(hashtext('iot.rollups')) THEN
        RETURN false;
    END IF;
    SELECT * INTO state FROM iot.storage;
    IF state.rolled_until < target THEN
        until := least(target, state.rolled_until + INTERVAL '6 hours');
        PERFORM iot.roll(state.rolled_until, until, until);
        UPDATE iot.storage SET rolled_until = until;
        RETURN true;
    END IF;
    SELECT * INTO late FROM iot.due_hour(settle);
    IF late.due IS NULL THEN
        RETURN false;
    END IF;
    IF late.due >= state.complete_from THEN
        PERFORM iot.roll(late.due, least(late.due + INTERVAL '1 hour', state.rolled_until), state.rolled_until);
    END IF;
    DELETE FROM iot.rollup_dirty WHERE id = ANY (late.marks);
    RETURN true;
END $$;

-- Moves the line before which raw readings are dropped. It never moves back, also when the retention is made longer.
CREATE FUNCTION iot.note_complete() RETURNS void
    LANGUAGE sql AS $$
    UPDATE iot.storage SET complete_from = iot.bucket_of('1 day', now() - make_interval(days => raw_days))
    WHERE complete_from < iot.bucket_of('1 day', now() - make_interval(days => raw_days))
$$;

-- Brings the rollups up to date. Continuous aggregates follow the clock by their policies, which look back 3 hours (15 minutes),
-- 12 hours (1 hour) and 3 days (1 day); here they get the older hours that were marked. Call it outside of a transaction.
CREATE PROCEDURE iot.refresh_rollups(settle interval DEFAULT '1 minute')
    LANGUAGE plpgsql AS $$
DECLARE
    late record;
    day  timestamptz;
BEGIN
    PERFORM iot.note_complete();
    COMMIT;
    IF (SELECT rollups FROM iot.storage) = 'own' THEN
        WHILE iot.roll_step(settle) LOOP
            COMMIT;
        END LOOP;
        RETURN;
    END IF;
    LOOP
        SELECT * INTO late FROM iot.due_hour(settle);
        EXIT WHEN late.due IS NULL;
        COMMIT;
        -- Never refresh what is not over: the live part of the view would end there.
        IF late.due >= (SELECT complete_from FROM iot.storage) AND late.due <= now() - INTERVAL '2 hours' THEN
            day := iot.bucket_of('1 day', late.due);
            -- The next width sees what the one before changed only after a commit.
            CALL refresh_continuous_aggregate('iot.rollup_15min', late.due, late.due + INTERVAL '1 hour');
            COMMIT;
            CALL refresh_continuous_aggregate('iot.rollup_1h', late.due, late.due + INTERVAL '1 hour');
            COMMIT;
            IF day <= now() - INTERVAL '26 hours' THEN
                CALL refresh_continuous_aggregate('iot.rollup_1d', day, day + INTERVAL '1 day');
            END IF;
        END IF;
        DELETE FROM iot.rollup_dirty WHERE id = ANY (late.marks);
        COMMIT;
    END LOOP;
END $$;

-- What this database already holds.
INSERT INTO iot.rollup_dirty (hour) SELECT DISTINCT iot.bucket_of('1 hour', time) FROM iot.reading;
