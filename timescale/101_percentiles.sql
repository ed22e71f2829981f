-- Percentiles of good readings by hour and day: 5 %, median, 95 %. Unlike sums they cannot be merged, so they come from the readings, and
-- only for the devices and metrics whose bucket has changed. One way for all editions: a continuous aggregate would compute
-- all devices of a day again for one late value.
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['percentile_1h', 'percentile_1d'] LOOP
        EXECUTE format($sql$CREATE TABLE iot.%I (
            bucket timestamptz NOT NULL, device_id integer NOT NULL, metric_id smallint NOT NULL,
            -- Of how many readings; where the rollup has another count they are out of date.
            n bigint NOT NULL,
            p05 double precision, median double precision, p95 double precision,
            PRIMARY KEY (device_id, metric_id, bucket))%s$sql$,
            relation,
            -- Days are few and stay.
            CASE WHEN iot.is_native('reading') AND relation = 'percentile_1h' THEN ' PARTITION BY RANGE (bucket)' ELSE '' END);
    END LOOP;
    IF NOT iot.is_native('reading') THEN
        PERFORM create_hypertable('iot.percentile_1h', 'bucket', chunk_time_interval => INTERVAL '30 days', create_default_indexes => false);
    END IF;
END $$;

-- Makes sure that buckets of [since, until) have partitions, a month each. Only plain PostgreSQL needs it.
CREATE FUNCTION iot.prepare_months(relation text, since timestamptz, until timestamptz) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    month      timestamptz := date_trunc('month', since, 'UTC');
    next_month timestamptz;
BEGIN
    IF NOT iot.is_native(relation) THEN
        RETURN;
    END IF;
    WHILE month < until LOOP
        next_month := date_trunc('month', month + INTERVAL '32 days', 'UTC');
        PERFORM iot.make_partition(relation, month, next_month);
        month := next_month;
    END LOOP;
END $$;

-- Works out at most `most` buckets of [since, until) that are new or have got other readings. `width` is '1h' or '1d'. Returns how
-- many; 0 when all is done.
CREATE FUNCTION iot.put_percentiles(width text, since timestamptz, until timestamptz, most integer) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    done integer;
BEGIN
    EXECUTE format($sql$
        INSERT INTO iot.%1$I (bucket, device_id, metric_id, n, p05, median, p95)
        SELECT stale.bucket, stale.device_id, stale.metric_id, stale.n, q.p[1], q.p[2], q.p[3]
        FROM (SELECT r.bucket, r.device_id, r.metric_id, r.n FROM iot.%2$I r
              LEFT JOIN (SELECT * FROM iot.%1$I WHERE bucket >= $1 AND bucket < $2) known USING (bucket, device_id, metric_id)
              WHERE r.bucket >= $1 AND r.bucket < $2 AND known.n IS DISTINCT FROM r.n LIMIT $3) stale
        CROSS JOIN LATERAL (
            SELECT percentile_cont(ARRAY[0.05, 0.5, 0.95]) WITHIN GROUP (ORDER BY value) AS p FROM iot.reading
            WHERE device_id = stale.device_id AND metric_id = stale.metric_id AND time >= stale.bucket
              AND time < stale.bucket + %3$L::interval AND quality = 0 AND value BETWEEN -1e100 AND 1e100) q
        ON CONFLICT (device_id, metric_id, bucket) DO UPDATE SET (n, p05, median, p95) =
            (excluded.n, excluded.p05, excluded.median, excluded.p95)$sql$,
        'percentile_' || width, 'reading_' || width, CASE width WHEN '1h' THEN '1 hour' ELSE '1 day' END)
    USING since, until, most;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END $$;

-- Works out what is missing or out of date in the last `days` days (without: since readings are whole), day by day and in small
-- transactions. Buckets count once they have been over for 20 minutes. Call it outside of a transaction.
CREATE PROCEDURE iot.refresh_percentiles(days integer DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    over     timestamptz := now() - INTERVAL '20 minutes';
    day      timestamptz;
    next_day timestamptz;
BEGIN
    SELECT greatest(complete_from, iot.bucket_of('1 day', now() - make_interval(days => coalesce(days, raw_days)))) INTO day FROM iot.storage;
    WHILE day < over LOOP
        next_day := day + INTERVAL '1 day';
        PERFORM iot.prepare_months('percentile_1h', day, next_day);
        WHILE iot.put_percentiles('1h', day, least(next_day, iot.bucket_of('1 hour', over)), 5000) > 0 LOOP
            COMMIT;
        END LOOP;
        WHILE next_day <= over AND iot.put_percentiles('1d', day, next_day, 200) > 0 LOOP
            COMMIT;
        END LOOP;
        COMMIT;
        day := next_day;
    END LOOP;
END $$;
