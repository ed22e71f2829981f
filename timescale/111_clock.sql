-- How far a device's clock is off: arrival minus device time, the median of its last messages; below 0 the clock is ahead.
ALTER TABLE iot.device ADD COLUMN clock_offset_seconds double precision;
