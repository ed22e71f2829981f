-- A milking is updated with every batch of its messages: that should write one row, not one entry in each of its indexes.
-- PostgreSQL spares the indexes when no indexed column changes and the page has room; heard_at changed every time.
DROP INDEX iot.milk_session_open_idx;
CREATE INDEX milk_session_open_idx ON iot.milk_session (device_id) WHERE NOT closed;
ALTER TABLE iot.milk_session SET (fillfactor = 70);
