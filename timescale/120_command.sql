-- Commands to devices: written before they are sent, and what became of them.
CREATE TABLE iot.command (
    -- Of whoever asks: the same one is the same command, and is sent once.
    request_id   text        PRIMARY KEY,
    device_id    integer     NOT NULL REFERENCES iot.device,
    command      text        NOT NULL,
    value        jsonb,
    timeout_ms   integer     NOT NULL,
    requested_by text        NOT NULL CHECK (requested_by IN ('odoo', 'rest')),
    requested_at timestamptz NOT NULL DEFAULT now(),
    -- Gateways do not execute it later.
    expires_at   timestamptz NOT NULL,
    state        text        NOT NULL DEFAULT 'sent'
                 CHECK (state IN ('sent', 'accepted', 'done', 'rejected', 'failed', 'timed_out')),
    detail       text,
    result_value jsonb,
    finished_at  timestamptz,
    -- Counts the changes of its state.
    revision     integer     NOT NULL DEFAULT 0
);
CREATE INDEX command_device_idx ON iot.command (device_id, requested_at DESC);
CREATE INDEX command_open_idx ON iot.command (expires_at) WHERE state IN ('sent', 'accepted');

-- Moves commands on to what their devices said (arrays of equal length, no request twice); returns those that changed.
-- What really happened stands above a time-out; otherwise nothing that has ended changes. A device answers for itself only.
CREATE FUNCTION iot.command_told(request_ids text[], device_ids integer[], states text[], details text[], results jsonb[])
    RETURNS SETOF iot.command
    LANGUAGE sql AS $$
    UPDATE iot.command c
    SET state = n.state, detail = n.detail, result_value = n.result, revision = c.revision + 1,
        finished_at = CASE WHEN n.state <> 'accepted' THEN now() END
    FROM unnest(request_ids, device_ids, states, details, results) AS n (request_id, device_id, state, detail, result)
    WHERE c.request_id = n.request_id AND c.device_id = n.device_id AND c.state = ANY (
        CASE n.state WHEN 'accepted' THEN ARRAY['sent'] WHEN 'timed_out' THEN ARRAY['sent', 'accepted']
                     ELSE ARRAY['sent', 'accepted', 'timed_out'] END)
    RETURNING c.*
$$;

-- Ends commands that nobody answered within their time and `grace`; returns them.
CREATE FUNCTION iot.command_expire(grace interval) RETURNS SETOF iot.command
    LANGUAGE sql AS $$
    UPDATE iot.command SET state = 'timed_out', finished_at = now(), revision = revision + 1,
        detail = CASE state WHEN 'sent' THEN 'nobody answered: is the gateway online, and is this one of its devices?'
                            ELSE 'the gateway took it and did not say how it ended' END
    WHERE state IN ('sent', 'accepted') AND expires_at < now() - grace
    RETURNING *
$$;

-- Odoo hears of every change of the commands that it asked for; CommandRecord of contract/records.ts.
CREATE FUNCTION iot.publish_command() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM iot.outbox_put(ARRAY['command'], ARRAY[NEW.request_id], ARRAY[NEW.revision], ARRAY[jsonb_build_object(
        'farm', f.code, 'device_uid', d.device_uid, 'command', NEW.command, 'value', NEW.value #>> '{}',
        'state', NEW.state, 'detail', NEW.detail, 'result_value', NEW.result_value #>> '{}',
        'requested_at', iot.iso(NEW.requested_at), 'expires_at', iot.iso(NEW.expires_at),
        'finished_at', iot.iso(NEW.finished_at))])
    FROM iot.device d JOIN iot.farm f ON f.id = d.farm_id WHERE d.id = NEW.device_id;
    RETURN NULL;
END $$;

CREATE TRIGGER command_changed AFTER UPDATE OF state ON iot.command
    FOR EACH ROW WHEN (NEW.requested_by = 'odoo') EXECUTE FUNCTION iot.publish_command();
