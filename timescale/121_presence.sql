-- Who is there: the state that each device last said, or its gateway or the broker said of it, by the connector's own clock.
CREATE TABLE iot.device_presence (
    device_id integer     PRIMARY KEY REFERENCES iot.device,
    state     text        NOT NULL CHECK (state IN ('online', 'degraded', 'offline')),
    detail    text,
    since     timestamptz NOT NULL DEFAULT now(),
    -- Uid of the gateway that it is behind.
    via       text
);
CREATE INDEX device_presence_via_idx ON iot.device_presence (via);
CREATE INDEX device_presence_offline_idx ON iot.device_presence (since) WHERE state = 'offline';

-- The same with what follows from the gateway: behind a lost one nobody knows, and nothing is an event of its own.
CREATE VIEW iot.device_reach AS
SELECT p.device_id, p.via, p.detail,
    CASE WHEN g.state = 'offline' THEN 'unreachable' ELSE p.state END AS state,
    -- When it came into this state; a device that comes back with its gateway starts anew.
    greatest(p.since, g.since) AS since
FROM iot.device_presence p
JOIN iot.device d ON d.id = p.device_id
LEFT JOIN iot.device gd ON gd.farm_id = d.farm_id AND gd.device_uid = p.via AND gd.device_type = 'gateway'
LEFT JOIN iot.device_presence g ON g.device_id = gd.id;

-- What should stand as an alert now: gateways that are lost and registered devices that are offline, each for so long.
-- `behind` counts the devices behind a gateway.
CREATE FUNCTION iot.presence_due(gateway_grace interval, device_grace interval)
    RETURNS TABLE (alert_key text, farm_id integer, farm text, device_id integer, device_uid text, alert_type text, detail text,
        since timestamptz, behind bigint)
    LANGUAGE sql STABLE AS $$
    SELECT f.code || '/' || d.device_uid || '/' || kind.name || '/' || iot.iso(r.since), d.farm_id, f.code, d.id, d.device_uid,
        kind.name, r.detail, r.since,
        (SELECT count(*) FROM iot.device_presence b JOIN iot.device bd ON bd.id = b.device_id
         WHERE b.via = d.device_uid AND bd.farm_id = d.farm_id AND kind.name = 'gateway_lost')
    FROM iot.device_reach r
    JOIN iot.device d ON d.id = r.device_id
    JOIN iot.farm f ON f.id = d.farm_id
    CROSS JOIN LATERAL (SELECT CASE d.device_type WHEN 'gateway' THEN 'gateway_lost' ELSE 'device_offline' END AS name) kind
    WHERE r.state = 'offline' AND (
        (kind.name = 'gateway_lost' AND d.state <> 'rejected' AND r.since < now() - gateway_grace)
        OR (kind.name = 'device_offline' AND d.state = 'registered' AND r.since < now() - device_grace))
$$;
