-- Alerts and what happened to them.
CREATE TABLE iot.alert (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_key       text        NOT NULL UNIQUE,
    farm_id         integer     NOT NULL REFERENCES iot.farm,
    device_id       integer     REFERENCES iot.device,
    milk_session_id bigint      REFERENCES iot.milk_session,
    alert_type      text        NOT NULL,
    severity        text        NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    state           text        NOT NULL CHECK (state IN ('new', 'acknowledged', 'resolved')),
    message         text        NOT NULL,
    raised_at       timestamptz NOT NULL,
    cleared_at      timestamptz,
    -- What was last published, as `revision`.
    record          jsonb       NOT NULL,
    revision        integer     NOT NULL DEFAULT 1
);
CREATE INDEX alert_session_idx ON iot.alert (milk_session_id);
CREATE INDEX alert_open_idx ON iot.alert (raised_at) WHERE state <> 'resolved';

CREATE TABLE iot.alert_event (
    alert_id bigint      NOT NULL REFERENCES iot.alert,
    time     timestamptz NOT NULL DEFAULT now(),
    state    text        NOT NULL,
    detail   text
);
CREATE INDEX alert_event_alert_idx ON iot.alert_event (alert_id, time);

-- Feedings and activity of an animal; written by later parts of the product.
CREATE TABLE iot.feed_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id  integer     NOT NULL REFERENCES iot.device,
    event_key  text        NOT NULL,
    time       timestamptz NOT NULL,
    rfid       text,
    feed       text,
    amount_kg  double precision,
    UNIQUE (device_id, event_key)
);

CREATE TABLE iot.activity_bin (
    device_id  integer     NOT NULL REFERENCES iot.device,
    time       timestamptz NOT NULL,
    activity   double precision,
    rumination_min double precision,
    lying_min  double precision,
    PRIMARY KEY (device_id, time)
);
