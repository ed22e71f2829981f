-- Schema, capabilities of this server, and the dimensions.
CREATE SCHEMA IF NOT EXISTS iot;

-- What this server can do: 'community' (TimescaleDB with its TSL features), 'apache' (TimescaleDB without), 'plain' (PostgreSQL alone).
CREATE FUNCTION iot.edition() RETURNS text
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RETURN 'plain';
    END IF;
    RETURN CASE current_setting('timescaledb.license', true) WHEN 'timescale' THEN 'community' ELSE 'apache' END;
END $$;

-- A moment as it stands in records: ISO 8601, UTC, milliseconds.
CREATE FUNCTION iot.iso(at timestamptz) RETURNS text
    LANGUAGE sql STABLE AS $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

CREATE TABLE iot.farm (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code       text NOT NULL UNIQUE,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE iot.device (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    farm_id      integer     NOT NULL REFERENCES iot.farm,
    device_uid   text        NOT NULL,
    device_type  text        NOT NULL,
    name         text        NOT NULL,
    profile      text,
    manufacturer text,
    model        text,
    stall        text,
    state        text        NOT NULL CHECK (state IN ('discovered', 'registered')),
    first_seen   timestamptz,
    last_seen    timestamptz,
    -- last_seen as Odoo knows it.
    published_seen timestamptz,
    -- Counts the changes that Odoo should see.
    revision     integer     NOT NULL DEFAULT 1,
    UNIQUE (farm_id, device_uid)
);

CREATE TABLE iot.metric (
    id          smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    unit        text NOT NULL,
    kind        text NOT NULL,
    valid_min   double precision,
    valid_max   double precision,
    description text NOT NULL
);

CREATE TABLE iot.animal (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    farm_id   integer NOT NULL REFERENCES iot.farm,
    rfid      text CHECK (rfid ~ '^\d{15}$'),
    ear_tag   text,
    name      text,
    UNIQUE (farm_id, rfid),
    UNIQUE (farm_id, ear_tag)
);

-- Which animal carries a device (a collar), and when.
CREATE TABLE iot.device_animal (
    device_id  integer     NOT NULL REFERENCES iot.device,
    animal_id  integer     NOT NULL REFERENCES iot.animal,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz CHECK (valid_to > valid_from),
    PRIMARY KEY (device_id, valid_from)
);
