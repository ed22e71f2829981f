-- What people keep in Odoo, as the connector knows it: farms, pens, animals, devices, thresholds. odoo_id is the record's id there.
ALTER TABLE iot.farm
    ADD COLUMN odoo_id bigint UNIQUE,
    ADD COLUMN active  boolean NOT NULL DEFAULT true;

CREATE TABLE iot.pen (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    farm_id integer NOT NULL REFERENCES iot.farm,
    name    text    NOT NULL,
    active  boolean NOT NULL DEFAULT true,
    odoo_id bigint  NOT NULL UNIQUE
);
CREATE INDEX pen_farm_idx ON iot.pen (farm_id, name);

ALTER TABLE iot.animal
    ADD COLUMN pen_id  integer REFERENCES iot.pen ON DELETE SET NULL,
    ADD COLUMN state   text,
    -- An animal that has left holds no tags: they may be given to another one.
    ADD COLUMN active  boolean NOT NULL DEFAULT true,
    ADD COLUMN odoo_id bigint UNIQUE;
CREATE INDEX animal_pen_idx ON iot.animal (pen_id);

-- Rejected: a person has refused the device in Odoo; what it sends goes to the dead letters.
ALTER TABLE iot.device
    DROP CONSTRAINT device_state_check,
    ADD CONSTRAINT device_state_check CHECK (state IN ('discovered', 'registered', 'rejected')),
    ADD COLUMN odoo_id bigint UNIQUE;

ALTER TABLE iot.device_animal
    ADD COLUMN odoo_id bigint UNIQUE;

CREATE TABLE iot.odoo_threshold (
    odoo_id bigint PRIMARY KEY,
    farm_id integer REFERENCES iot.farm,
    record  jsonb  NOT NULL
);

-- How far each kind has been pulled. `full_pass`: the next pull begins at the start, and what it does not meet is gone.
CREATE TABLE iot.odoo_cursor (
    kind      text PRIMARY KEY,
    cursor    text        NOT NULL DEFAULT '',
    full_pass boolean     NOT NULL DEFAULT true,
    records   bigint      NOT NULL DEFAULT 0,
    pulled_at timestamptz,
    full_at   timestamptz
);

-- Signed calls of the last minutes: the same one is not taken twice.
CREATE TABLE iot.odoo_signature (
    signature text PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX odoo_signature_at_idx ON iot.odoo_signature (at);

-- What Odoo's webhook actions sent, as it came. Written before the answer, worked on afterwards.
CREATE TABLE iot.odoo_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    model       text        NOT NULL,
    record_id   bigint,
    payload     jsonb       NOT NULL,
    -- unknown: nobody handles its model; kept for people to see.
    state       text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'unknown', 'failed')),
    attempts    integer     NOT NULL DEFAULT 0,
    detail      text
);
CREATE INDEX odoo_event_pending_idx ON iot.odoo_event (id) WHERE state = 'pending';

-- The last comparison of database and Odoo, a row per kind and UTC day.
CREATE TABLE iot.odoo_reconciliation (
    kind       text        NOT NULL,
    day        date        NOT NULL,
    db_count   bigint      NOT NULL,
    odoo_count bigint      NOT NULL,
    -- Sum of what the kind measures (kg of milk), null for kinds that measure nothing.
    db_sum     double precision,
    odoo_sum   double precision,
    -- Records still under way when it was compared.
    waiting    bigint      NOT NULL,
    requeued   bigint      NOT NULL DEFAULT 0,
    -- Records of Odoo that the database does not know.
    surplus    bigint      NOT NULL DEFAULT 0,
    agrees     boolean     NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, day)
);
