-- The storage life cycle once more: percentiles have theirs, and dropping is written once.

-- Drops what lies wholly within [since, until), chunks or partitions alike. Returns how many were dropped.
CREATE FUNCTION iot.drop_between(relation text, since timestamptz, until timestamptz) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    part    regclass;
    dropped integer := 0;
BEGIN
    IF NOT iot.is_native(relation) THEN
        RETURN count(*) FROM drop_chunks(format('iot.%I', relation)::regclass, older_than => until, newer_than => since);
    END IF;
    -- Dropping waits for readers and makes everybody wait behind it: give up soon, the job comes again.
    PERFORM set_config('lock_timeout', '3s', true);
    FOR part IN
        SELECT c.oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) AS bounds
        WHERE i.inhparent = format('iot.%I', relation)::regclass
          AND substring(bounds FROM $re$FROM \('([^']+)'\)$re$)::timestamptz >= since
          AND substring(bounds FROM $re$TO \('([^']+)'\)$re$)::timestamptz <= until
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

-- Drops what lies wholly before `cutoff`.
CREATE OR REPLACE FUNCTION iot.drop_before(relation text, cutoff timestamptz) RETURNS integer
    LANGUAGE sql AS $$ SELECT iot.drop_between(relation, '-infinity', cutoff) $$;

-- Drops a day that has been archived with so many rows. False, and nothing is dropped, when it has other rows by now.
CREATE OR REPLACE FUNCTION iot.drop_archived_day(wanted date, archived_rows bigint) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz := wanted::timestamp AT TIME ZONE 'UTC';
    until timestamptz := (wanted + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    PERFORM iot.note_complete();
    IF (SELECT count(*) FROM iot.reading WHERE time >= since AND time < until) <> archived_rows THEN
        RETURN false;
    END IF;
    PERFORM iot.drop_between('reading', since, until);
    UPDATE iot.archived_day SET dropped_at = now(), keep_until = NULL WHERE day = wanted;
    RETURN true;
END $$;

-- Drops what is older than its retention and has no policy for that. Returns how many chunks or partitions went.
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
        dropped := dropped + iot.drop_before('percentile_1h', now() - make_interval(days => state.hourly_days));
    END IF;
    RETURN dropped;
END $$;

-- Policies of a relation. Its compression is set up the `first_time` that this edition meets it.
CREATE OR REPLACE FUNCTION iot.set_policies(relation text, keep_days integer, compress_days integer, first_time boolean) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    target regclass := format('iot.%I', relation)::regclass;
BEGIN
    IF NOT iot.has_policies(relation) THEN
        RETURN;
    END IF;
    IF first_time THEN
        EXECUTE format('ALTER %s %s SET (timescaledb.compress, timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)',
            -- A continuous aggregate is a view to PostgreSQL.
            CASE (SELECT relkind FROM pg_class WHERE oid = target) WHEN 'v' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, target,
            'device_id, metric_id', CASE relation WHEN 'reading' THEN 'time' ELSE 'bucket' END);
    END IF;
    PERFORM remove_retention_policy(target, if_exists => true);
    PERFORM add_retention_policy(target, make_interval(days => keep_days), initial_start => now() + INTERVAL '1 hour');
    PERFORM remove_compression_policy(target, if_exists => true);
    IF compress_days < keep_days THEN
        PERFORM add_compression_policy(target, make_interval(days => compress_days), initial_start => now() + INTERVAL '2 hours');
    END IF;
END $$;

-- Sets what the configuration says. Asking for the same again changes nothing.
CREATE OR REPLACE FUNCTION iot.set_storage(new_raw_days integer, new_fifteen_minute_days integer, new_hourly_days integer,
                                new_compress_after_days integer) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    known iot.storage;
BEGIN
    IF new_raw_days < 7 OR new_fifteen_minute_days < new_raw_days OR new_hourly_days < new_fifteen_minute_days
        OR new_compress_after_days < 1 THEN
        RAISE EXCEPTION 'storage: needs 7 <= raw <= 15-minute <= hourly days and compression after 1 day or more, got %, %, %, %',
            new_raw_days, new_fifteen_minute_days, new_hourly_days, new_compress_after_days USING ERRCODE = '22023';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('iot.storage'));
    PERFORM iot.lift_decompression_limit();
    PERFORM iot.note_complete();
    SELECT * INTO known FROM iot.storage;
    IF (known.raw_days, known.fifteen_minute_days, known.hourly_days, known.compress_after_days, known.applied_edition)
        IS NOT DISTINCT FROM
        (new_raw_days, new_fifteen_minute_days, new_hourly_days, new_compress_after_days, iot.edition()) THEN
        RETURN;
    END IF;
    UPDATE iot.storage SET raw_days = new_raw_days, fifteen_minute_days = new_fifteen_minute_days, hourly_days = new_hourly_days,
        compress_after_days = new_compress_after_days, applied_edition = iot.edition();
    PERFORM iot.set_policies('reading', new_raw_days, new_compress_after_days,
        known.applied_edition IS DISTINCT FROM iot.edition());
    -- Rollups are compressed once their readings are gone: then nothing late is added to them any more.
    PERFORM iot.set_policies('rollup_15min', new_fifteen_minute_days, new_raw_days + 2,
        known.applied_edition IS DISTINCT FROM iot.edition());
    PERFORM iot.set_policies('rollup_1h', new_hourly_days, new_raw_days + 2,
        known.applied_edition IS DISTINCT FROM iot.edition());
    PERFORM iot.set_policies('percentile_1h', new_hourly_days, new_raw_days + 2,
        known.applied_edition IS DISTINCT FROM iot.edition());
END $$;

-- The big tables: how they are cut, how many parts, how many of these compressed, size with indexes, and the time they span.
CREATE OR REPLACE FUNCTION iot.storage_status()
    RETURNS TABLE (relation text, layout text, parts bigint, compressed bigint, bytes bigint, oldest timestamptz, newest timestamptz)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    target regclass;
BEGIN
    FOREACH relation IN ARRAY ARRAY['reading', 'rollup_15min', 'rollup_1h', 'rollup_1d', 'percentile_1h', 'percentile_1d'] LOOP
        target := format('iot.%I', relation)::regclass;
        IF iot.is_native(relation) THEN
            RETURN QUERY
                SELECT relation, 'partitions', count(*), 0::bigint, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
                       min(substring(bounds FROM $re$FROM \('([^']+)'\)$re$)::timestamptz),
                       max(substring(bounds FROM $re$TO \('([^']+)'\)$re$)::timestamptz)
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) AS bounds
                WHERE i.inhparent = target;
        ELSIF iot.hypertable_of(target) IS NULL THEN
            RETURN QUERY EXECUTE format(
                'SELECT %L, ''table'', 1::bigint, 0::bigint, pg_total_relation_size(%L), min(bucket), max(bucket) FROM %s',
                relation, target::text, target);
        ELSE
            RETURN QUERY
                SELECT relation, 'chunks', count(*), count(*) FILTER (WHERE c.is_compressed), hypertable_size(iot.hypertable_of(target)),
                       min(c.range_start), max(c.range_end)
                FROM timescaledb_information.chunks c
                WHERE format('%I.%I', c.hypertable_schema, c.hypertable_name)::regclass = iot.hypertable_of(target);
        END IF;
    END LOOP;
END $$;

-- A database that has its policies already gets those of the new table.
SELECT iot.set_policies('percentile_1h', hourly_days, raw_days + 2, true) FROM iot.storage;
