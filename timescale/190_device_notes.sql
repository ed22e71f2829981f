-- Since when a device's clock is so wrong that the moment of arrival counts for what it says; one alert a time.
ALTER TABLE iot.device ADD COLUMN clock_off_since timestamptz;
-- A field of its messages that could not be read while the rest was taken, with the reason, and when that was last so.
ALTER TABLE iot.device ADD COLUMN unread_field text;
ALTER TABLE iot.device ADD COLUMN unread_at timestamptz;
