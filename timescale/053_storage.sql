-- How long data is kept and when it is compressed. Policies where the server has them, else iot.apply_retention().

-- True when TimescaleDB's own jobs look after this relation.
CREATE FUNCTION iot.has_policies(relation text) RETURNS boolean
    LANGUAGE sql STABLE AS $$ SELECT iot.edition() = 'community' AND NOT iot.is_native(relation) $$;

-- TimescaleDB gives up a batch that has to decompress more than 100,000 rows to find its duplicates (2.22 does, 2.28 finds them
-- without): late data of many devices reaches that, and the batch would come again for ever. Counts for new sessions.
CREATE FUNCTION iot.lift_decompression_limit() RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF iot.edition() = 'community'
        AND current_setting('timescaledb.max_tuples_decompressed_per_dml_transaction', true) IS DISTINCT FROM '0' THEN
        EXECUTE format('ALTER DATABASE %I SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0', current_database());
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'this role does not own the database: let its owner run ALTER DATABASE % SET '
        'timescaledb.max_tuples_decompressed_per_dml_transaction = 0', quote_ident(current_database());
END $$;

-- Sets what the configuration says. Asking for the same again changes nothing.
CREATE FUNCTION iot.set_storage(new_raw_days integer, new_fifteen_minute_days integer, new_hourly_days integer,
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
END $$;

CREATE FUNCTION iot.set_policies(relation text, keep_days integer, compress_days integer, first_time boolean) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    target regclass := format('iot.%I', relation)::regclass;
BEGIN
    IF NOT iot.has_policies(relation) THEN
        RETURN;
    END IF;
    IF first_time THEN
        IF relation = 'reading' THEN
            ALTER TABLE iot.reading SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id, metric_id',
                                         timescaledb.compress_orderby = 'time');
        ELSIF (SELECT rollups FROM iot.storage) = 'continuous' THEN
            EXECUTE format('ALTER MATERIALIZED VIEW %s SET (timescaledb.compress, timescaledb.compress_segmentby = %L,
                timescaledb.compress_orderby = %L)', target, 'device_id, metric_id', 'bucket');
        ELSE
            EXECUTE format('ALTER TABLE %s SET (timescaledb.compress, timescaledb.compress_segmentby = %L,
                timescaledb.compress_orderby = %L)', target, 'device_id, metric_id', 'bucket');
        END IF;
    END IF;
    PERFORM remove_retention_policy(target, if_exists => true);
    PERFORM add_retention_policy(target, make_interval(days => keep_days), initial_start => now() + INTERVAL '1 hour');
    PERFORM remove_compression_policy(target, if_exists => true);
    IF compress_days < keep_days THEN
        PERFORM add_compression_policy(target, make_interval(days => compress_days), initial_start => now() + INTERVAL '2 hours');
    END IF;
END $$;

-- Drops what is older than its retention and has no policy for that. Returns how many chunks or partitions went.
CREATE FUNCTION iot.apply_retention() RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    state   iot.storage;
    dropped integer := 0;
BEGIN
    PERFORM iot.note_complete();
    SELECT * INTO state FROM iot.storage;
    IF NOT iot.has_policies('reading') THEN
        -- Never before it is rolled up.
        dropped := dropped + iot.drop_before('reading', least(now() - make_interval(days => state.raw_days), state.rolled_until));
    END IF;
    IF NOT iot.has_policies('rollup_15min') THEN
        dropped := dropped + iot.drop_before('rollup_15min', now() - make_interval(days => state.fifteen_minute_days));
        dropped := dropped + iot.drop_before('rollup_1h', now() - make_interval(days => state.hourly_days));
    END IF;
    RETURN dropped;
END $$;

DO $$
BEGIN
    IF (SELECT rollups FROM iot.storage) = 'continuous' THEN
        -- Not at once: a fresh database has nothing to refresh.
        PERFORM add_continuous_aggregate_policy('iot.rollup_15min', start_offset => INTERVAL '3 hours', end_offset => INTERVAL '15 minutes',
            schedule_interval => INTERVAL '5 minutes', initial_start => now() + INTERVAL '5 minutes');
        PERFORM add_continuous_aggregate_policy('iot.rollup_1h', start_offset => INTERVAL '12 hours', end_offset => INTERVAL '1 hour',
            schedule_interval => INTERVAL '30 minutes', initial_start => now() + INTERVAL '30 minutes');
        PERFORM add_continuous_aggregate_policy('iot.rollup_1d', start_offset => INTERVAL '3 days', end_offset => INTERVAL '1 hour',
            schedule_interval => INTERVAL '3 hours', initial_start => now() + INTERVAL '3 hours');
    END IF;
END $$;

-- The documented defaults until the configuration says otherwise.
SELECT iot.set_storage(90, 180, 365, 7);
