-- How far a device's clock is behind at least (seconds), as its last answer to a command proves: it was dated before the command.
ALTER TABLE iot.device ADD COLUMN clock_behind_seconds double precision;
