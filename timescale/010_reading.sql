-- Readings: narrow, partitioned by day, unique on (device, metric, time), which makes a second arrival harmless.
DO $$
BEGIN
    IF iot.edition() = 'plain' THEN
        CREATE TABLE iot.reading (
            time      timestamptz      NOT NULL,
            device_id integer          NOT NULL,
            metric_id smallint         NOT NULL,
            value     double precision NOT NULL,
            quality   smallint         NOT NULL DEFAULT 0,
            PRIMARY KEY (device_id, metric_id, time)
        ) PARTITION BY RANGE (time);
    ELSE
        CREATE TABLE iot.reading (
            time      timestamptz      NOT NULL,
            device_id integer          NOT NULL,
            metric_id smallint         NOT NULL,
            value     double precision NOT NULL,
            quality   smallint         NOT NULL DEFAULT 0,
            PRIMARY KEY (device_id, metric_id, time)
        );
        PERFORM create_hypertable('iot.reading', 'time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => false);
    END IF;
END $$;

-- Makes sure that readings of these UTC days have a partition. Only plain PostgreSQL needs it; asking is always right.
CREATE FUNCTION iot.prepare_days(days date[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    day date;
BEGIN
    IF iot.edition() <> 'plain' THEN
        RETURN;
    END IF;
    FOREACH day IN ARRAY days LOOP
        IF to_regclass(format('iot.reading_%s', to_char(day, 'YYYYMMDD'))) IS NULL THEN
            -- Two writers may meet here; the lock lets one make it and the other see it.
            PERFORM pg_advisory_xact_lock(hashtext('iot.reading'), (day - DATE '2000-01-01'));
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS iot.%I PARTITION OF iot.reading FOR VALUES FROM (%L) TO (%L)',
                'reading_' || to_char(day, 'YYYYMMDD'),
                day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        END IF;
    END LOOP;
END $$;

-- The wide names of the customer's documents.
CREATE VIEW iot.sensor_data AS
SELECT r.time, f.code AS farm_code, d.device_uid, d.device_type, m.name AS metric, r.value, m.unit, r.quality
FROM iot.reading r
JOIN iot.device d ON d.id = r.device_id
JOIN iot.farm f ON f.id = d.farm_id
JOIN iot.metric m ON m.id = r.metric_id;

-- Moments given to messages that carried no time, by who delivered them (MQTT client and packet id): when such a message
-- is sent again after a crash, it gets the same moment and so the same key.
CREATE TABLE iot.arrival_stamp (
    origin text        PRIMARY KEY,
    digest text        NOT NULL,
    at     timestamptz NOT NULL
);

-- What a device said of itself, on change.
CREATE TABLE iot.device_status (
    device_id integer     NOT NULL REFERENCES iot.device,
    time      timestamptz NOT NULL,
    state     text        NOT NULL CHECK (state IN ('online', 'degraded', 'offline')),
    detail    text,
    PRIMARY KEY (device_id, time)
);

-- What could not be taken, with the reason. Payloads are cut; payload_size is the whole size.
CREATE TABLE iot.dead_letter (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at  timestamptz NOT NULL DEFAULT now(),
    topic        text        NOT NULL,
    payload      bytea       NOT NULL,
    payload_size integer     NOT NULL,
    reason       text        NOT NULL
);
CREATE INDEX dead_letter_received_idx ON iot.dead_letter (received_at);
