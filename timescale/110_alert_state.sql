-- Alerts of a device are counted on its card; and what a person has said of an alert stays said when its facts change.
CREATE INDEX alert_device_idx ON iot.alert (device_id, id);

-- State of an alert that is raised again: one that was acknowledged stays so, and so does one that a person has resolved
-- (it was never cleared) while its milking still calls for it. An alert about anything else opens anew.
CREATE FUNCTION iot.alert_state(wanted text, known text, cleared_at timestamptz, milk_session_id bigint) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN wanted <> 'new' THEN wanted
        WHEN known = 'acknowledged' THEN known
        WHEN known = 'resolved' AND cleared_at IS NULL AND milk_session_id IS NOT NULL THEN known
        ELSE wanted
    END
$$;
