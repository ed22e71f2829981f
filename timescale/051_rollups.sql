-- Rollups of good readings: 15 minutes, 1 hour, 1 day (UTC). Continuous aggregates where the server has them, else own tables
-- that iot.refresh_rollups() fills. Read iot.reading_15min, iot.reading_1h, iot.reading_1d: the same, and up to date, everywhere.

-- What the storage functions know of themselves.
CREATE TABLE iot.storage (
    only_row            boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- How this database was built; an edition that comes later does not change it.
    rollups             text        NOT NULL CHECK (rollups IN ('continuous', 'own')),
    raw_days            integer,
    fifteen_minute_days integer,
    hourly_days         integer,
    compress_after_days integer,
    -- The edition whose policies were set.
    applied_edition     text,
    -- Own rollups are stored up to here; the views add what is younger.
    rolled_until        timestamptz NOT NULL,
    -- Raw readings are whole from here on. Older buckets are never computed again: it would be from a part of the readings.
    complete_from       timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO iot.storage (rollups, rolled_until)
VALUES (CASE iot.edition() WHEN 'community' THEN 'continuous' ELSE 'own' END,
        date_bin('15 minutes', now() - INTERVAL '20 minutes', TIMESTAMPTZ '2000-01-01 00:00:00+00'));

CREATE FUNCTION iot.rolled_until() RETURNS timestamptz
    LANGUAGE sql STABLE AS $$ SELECT rolled_until FROM iot.storage $$;

-- The bucket that a moment lies in.
CREATE FUNCTION iot.bucket_of(width interval, at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE AS $$ SELECT date_bin(width, at, TIMESTAMPTZ '2000-01-01 00:00:00+00') $$;

-- Standard deviation of merged buckets, each given as [n, sum, sum of squared deviations]: the server's own numerically
-- stable merge. A sum of squares would lose all digits on counters.
CREATE AGGREGATE iot.merge_stddev(double precision[]) (
    SFUNC = float8_combine, STYPE = double precision[], INITCOND = '{0,0,0}',
    FINALFUNC = float8_stddev_samp, COMBINEFUNC = float8_combine, PARALLEL = SAFE);

-- Readings summed up to 15 minutes. Values beyond 1e100 would overflow the squares and so stop the rollup for everybody.
-- min and max of [time, value] give the first and the last value in one pass without sorting.
CREATE FUNCTION iot.sum_readings(since timestamptz, until timestamptz)
    RETURNS TABLE (bucket timestamptz, device_id integer, metric_id smallint, n bigint, sum double precision, min double precision,
                   max double precision, first double precision, last double precision, stddev double precision)
    LANGUAGE sql STABLE AS $$
    SELECT iot.bucket_of('15 minutes', r.time), r.device_id, r.metric_id, count(*), sum(r.value), min(r.value), max(r.value),
           (min(ARRAY[date_part('epoch', r.time), r.value]))[2], (max(ARRAY[date_part('epoch', r.time), r.value]))[2],
           stddev_samp(r.value)
    FROM iot.reading r
    WHERE r.time >= since AND r.time < until AND r.quality = 0 AND r.value BETWEEN -1e100 AND 1e100
    GROUP BY 1, 2, 3
$$;

-- The query that merges the buckets of `source` to a wider `width`; `since` and `until` are SQL expressions.
CREATE FUNCTION iot.merge_sql(width text, source text, since text, until text) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
    SELECT format($sql$
        SELECT iot.bucket_of(%L, bucket) AS bucket, device_id, metric_id, sum(n)::bigint AS n, sum(sum) AS sum, min(min) AS min,
               max(max) AS max, (min(ARRAY[date_part('epoch', bucket), first]))[2] AS first,
               (max(ARRAY[date_part('epoch', bucket), last]))[2] AS last,
               iot.merge_stddev(ARRAY[n, sum, coalesce(stddev * stddev * (n - 1), 0)]) AS stddev
        FROM %s WHERE bucket >= %s AND bucket < %s GROUP BY 1, 2, 3$sql$, width, source, since, until)
$$;

DO $$
DECLARE
    relation text;
BEGIN
    IF (SELECT rollups FROM iot.storage) = 'continuous' THEN
        CREATE MATERIALIZED VIEW iot.rollup_15min
            WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
            SELECT time_bucket(INTERVAL '15 minutes', time) AS bucket, device_id, metric_id, count(*) AS n, sum(value) AS sum,
                   min(value) AS min, max(value) AS max, first(value, time) AS first, last(value, time) AS last,
                   stddev_samp(value) AS stddev
            FROM iot.reading WHERE quality = 0 AND value BETWEEN -1e100 AND 1e100 GROUP BY 1, 2, 3 WITH NO DATA;
        CREATE MATERIALIZED VIEW iot.rollup_1h
            WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
            SELECT time_bucket(INTERVAL '1 hour', bucket) AS bucket, device_id, metric_id, sum(n)::bigint AS n, sum(sum) AS sum,
                   min(min) AS min, max(max) AS max, first(first, bucket) AS first, last(last, bucket) AS last,
                   iot.merge_stddev(ARRAY[n, sum, coalesce(stddev * stddev * (n - 1), 0)]) AS stddev
            FROM iot.rollup_15min GROUP BY 1, 2, 3 WITH NO DATA;
        CREATE MATERIALIZED VIEW iot.rollup_1d
            WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
            SELECT time_bucket(INTERVAL '1 day', bucket) AS bucket, device_id, metric_id, sum(n)::bigint AS n, sum(sum) AS sum,
                   min(min) AS min, max(max) AS max, first(first, bucket) AS first, last(last, bucket) AS last,
                   iot.merge_stddev(ARRAY[n, sum, coalesce(stddev * stddev * (n - 1), 0)]) AS stddev
            FROM iot.rollup_1h GROUP BY 1, 2, 3 WITH NO DATA;
        FOREACH relation IN ARRAY ARRAY['15min', '1h', '1d'] LOOP
            EXECUTE format('CREATE INDEX %I ON iot.%I (device_id, metric_id, bucket)', 'rollup_' || relation || '_key', 'rollup_' || relation);
            EXECUTE format('CREATE VIEW iot.%I AS SELECT *, sum / n AS avg FROM iot.%I', 'reading_' || relation, 'rollup_' || relation);
        END LOOP;
        RETURN;
    END IF;

    FOREACH relation IN ARRAY ARRAY['15min', '1h', '1d'] LOOP
        EXECUTE format($sql$CREATE TABLE iot.%I (
            bucket timestamptz NOT NULL, device_id integer NOT NULL, metric_id smallint NOT NULL, n bigint NOT NULL,
            sum double precision NOT NULL, min double precision NOT NULL, max double precision NOT NULL,
            first double precision NOT NULL, last double precision NOT NULL, stddev double precision,
            PRIMARY KEY (device_id, metric_id, bucket))%s$sql$,
            'rollup_' || relation,
            -- Days are few and stay.
            CASE WHEN iot.is_native('reading') AND relation <> '1d' THEN ' PARTITION BY RANGE (bucket)' ELSE '' END);
        IF NOT iot.is_native('reading') AND relation <> '1d' THEN
            PERFORM create_hypertable(format('iot.%I', 'rollup_' || relation)::regclass, 'bucket',
                                      chunk_time_interval => INTERVAL '30 days', create_default_indexes => false);
        END IF;
    END LOOP;
    CREATE VIEW iot.reading_15min AS
        SELECT *, sum / n AS avg FROM (
            SELECT * FROM iot.rollup_15min WHERE bucket < iot.rolled_until()
            UNION ALL SELECT * FROM iot.sum_readings(iot.rolled_until(), 'infinity')) AS both_parts;
    EXECUTE 'CREATE VIEW iot.reading_1h AS SELECT *, sum / n AS avg FROM (
            SELECT * FROM iot.rollup_1h WHERE bucket < iot.bucket_of(''1 hour'', iot.rolled_until()) UNION ALL '
        || iot.merge_sql('1 hour', 'iot.reading_15min', 'iot.bucket_of(''1 hour'', iot.rolled_until())', '''infinity''')
        || ') AS both_parts';
    EXECUTE 'CREATE VIEW iot.reading_1d AS SELECT *, sum / n AS avg FROM (
            SELECT * FROM iot.rollup_1d WHERE bucket < iot.bucket_of(''1 day'', iot.rolled_until()) UNION ALL '
        || iot.merge_sql('1 day', 'iot.reading_1h', 'iot.bucket_of(''1 day'', iot.rolled_until())', '''infinity''')
        || ') AS both_parts';
END $$;
