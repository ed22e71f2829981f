-- What the REST API keeps: answers by idempotency key, and what became of dead letters that were replayed.
ALTER TABLE iot.dead_letter
    -- When it was taken after all; null while it still waits.
    ADD COLUMN replayed_at timestamptz,
    ADD COLUMN replays     integer NOT NULL DEFAULT 0;

-- One row a key and caller. `status` is null while the first request is still at work.
CREATE TABLE iot.idempotency_key (
    caller     text        NOT NULL,
    key        text        NOT NULL,
    -- Of method, path and body: a key that comes with something else is a mistake of the caller.
    digest     text        NOT NULL,
    status     integer,
    body       text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_key_created_idx ON iot.idempotency_key (created_at);
