-- The batch in which a dead letter was found, as the connector's log names it (batch_id).
ALTER TABLE iot.dead_letter ADD COLUMN batch_id text;
