-- Data quality per device and day: how many values were good, where data was missing, and a score from 0 to 100.
CREATE TABLE iot.device_quality (
    day            date             NOT NULL,
    device_id      integer          NOT NULL REFERENCES iot.device,
    readings       integer          NOT NULL,
    good           integer          NOT NULL,
    out_of_range   integer          NOT NULL,
    rate_of_change integer          NOT NULL,
    stuck          integer          NOT NULL,
    other          integer          NOT NULL,
    -- Seconds of the day that are longer than five usual intervals (and ten minutes) without a value.
    gap_seconds    integer          NOT NULL,
    score          double precision NOT NULL,
    PRIMARY KEY (day, device_id)
);

-- Works out a UTC day. Doing it again gives the same; late data is taken in by doing it again.
CREATE FUNCTION iot.refresh_device_quality(wanted date) RETURNS integer
    LANGUAGE sql AS $$
    WITH reading AS (
        SELECT device_id, time, quality FROM iot.reading
        WHERE time >= wanted::timestamp AT TIME ZONE 'UTC' AND time < (wanted + 1)::timestamp AT TIME ZONE 'UTC'
    ), moment AS (
        SELECT device_id, extract(epoch FROM time - lag(time) OVER (PARTITION BY device_id ORDER BY time)) AS step
        FROM (SELECT DISTINCT device_id, time FROM reading) m
    ), usual AS (
        SELECT device_id, greatest(600, 5 * percentile_cont(0.5) WITHIN GROUP (ORDER BY step)) AS longest
        FROM moment WHERE step IS NOT NULL GROUP BY device_id
    ), gap AS (
        SELECT device_id, sum(step) AS seconds FROM moment JOIN usual USING (device_id) WHERE step > longest GROUP BY device_id
    ), counted AS (
        SELECT device_id, count(*) AS n, count(*) FILTER (WHERE quality = 0) AS good,
            count(*) FILTER (WHERE quality = 1) AS range, count(*) FILTER (WHERE quality = 4) AS rate,
            count(*) FILTER (WHERE quality = 5) AS stuck
        FROM reading GROUP BY device_id
    ), put AS (
        INSERT INTO iot.device_quality AS q
        SELECT wanted, device_id, n, good, range, rate, stuck, n - good - range - rate - stuck, coalesce(seconds, 0),
            round((100.0 * good / n * (1 - coalesce(seconds, 0) / 86400))::numeric, 1)
        FROM counted LEFT JOIN gap USING (device_id)
        ON CONFLICT (day, device_id) DO UPDATE SET readings = excluded.readings, good = excluded.good,
            out_of_range = excluded.out_of_range, rate_of_change = excluded.rate_of_change, stuck = excluded.stuck,
            other = excluded.other, gap_seconds = excluded.gap_seconds, score = excluded.score
        RETURNING 1
    ) SELECT count(*)::integer FROM put;
$$;
