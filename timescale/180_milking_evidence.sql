-- Milkings are worked out from what was said of them, so that order and repetition of the messages do not show.
-- `evidence`: the messages, added up or one by one; null in rows of earlier versions, whose `stats` count on.
-- `loose`: messages without id are among it. `retired`: its messages turned out to be of other milkings.
-- `read_rfid`: the tag that the stall's reader read, while no message names one; it is decided again when others come.
ALTER TABLE iot.milk_session
    ADD COLUMN evidence  jsonb,
    ADD COLUMN loose     boolean NOT NULL DEFAULT false,
    ADD COLUMN retired   boolean NOT NULL DEFAULT false,
    ADD COLUMN read_rfid text;

-- A number is looked up near a moment: meters use the same ones every shift.
DROP INDEX iot.milk_session_wire_idx;
CREATE INDEX milk_session_wire_idx ON iot.milk_session (device_id, wire_id, started_at);
CREATE INDEX milk_session_loose_idx ON iot.milk_session (device_id, started_at) WHERE loose;

-- One day rule: a milking belongs to the day of its start, in the farm's zone. Finished records had their end here.
UPDATE iot.milk_session SET started_at = (record ->> 'started_at')::timestamptz
WHERE record IS NOT NULL AND started_at <> (record ->> 'started_at')::timestamptz;

CREATE OR REPLACE VIEW iot.milk_daily AS
SELECT (s.started_at AT TIME ZONE z.timezone)::date AS day, f.code AS farm_code, s.rfid, s.animal_ref, d.device_uid,
       count(*) AS milkings, count(*) FILTER (WHERE s.complete) AS complete_milkings, coalesce(sum(s.yield_kg), 0) AS yield_kg
FROM iot.milk_session s
JOIN iot.farm f ON f.id = s.farm_id
JOIN iot.device d ON d.id = s.device_id
CROSS JOIN (SELECT timezone FROM iot.storage) z
WHERE s.closed AND NOT s.retired
GROUP BY 1, 2, 3, 4, 5;
