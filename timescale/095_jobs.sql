-- Scheduled jobs of the connectors: when each ran, how it went, when it is due again. Read by `npm run db -- status`.
CREATE TABLE iot.job (
    name          text        PRIMARY KEY,
    last_started  timestamptz,
    last_finished timestamptz,
    last_success  timestamptz,
    last_result   text        CHECK (last_result IN ('running', 'ok', 'failed')),
    last_error    text,
    duration_ms   integer,
    -- When it has to run next; in the past while it is late, because nobody was there to run it.
    next_due      timestamptz NOT NULL
);
