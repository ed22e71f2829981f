-- The outbox: for every record in Odoo, the state that it should have. Written in the transaction of the fact it carries.
-- One row a record (kind, source_id): a newer revision replaces an unsent one, so order per record holds by construction.
CREATE TABLE iot.outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text        NOT NULL,
    source_id       text        NOT NULL,
    revision        integer     NOT NULL,
    payload         jsonb       NOT NULL,
    state           text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'parked', 'sent')),
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    leased_until    timestamptz,
    last_error      text,
    pending_since   timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    odoo_id         bigint,
    UNIQUE (kind, source_id)
);
CREATE INDEX outbox_pending_idx ON iot.outbox (kind, next_attempt_at, id) WHERE state = 'pending';
CREATE INDEX outbox_parked_idx ON iot.outbox (id) WHERE state = 'parked';

-- Puts a batch of records (arrays of equal length, no key twice) and wakes the worker. A revision not newer than the stored one changes nothing.
CREATE FUNCTION iot.outbox_put(kinds text[], source_ids text[], revisions integer[], payloads jsonb[]) RETURNS void
    LANGUAGE sql AS $$
    INSERT INTO iot.outbox AS o (kind, source_id, revision, payload)
    SELECT * FROM unnest(kinds, source_ids, revisions, payloads)
    ON CONFLICT (kind, source_id) DO UPDATE SET
        revision = excluded.revision, payload = excluded.payload, state = 'pending', attempts = 0,
        next_attempt_at = now(), last_error = NULL,
        pending_since = CASE WHEN o.state = 'sent' THEN now() ELSE o.pending_since END
    WHERE excluded.revision > o.revision;
    SELECT pg_notify('iot_outbox', '');
$$;
