-- Who delivered a message (MQTT client and packet id): its redelivery after a crash is known by it and becomes no second dead letter.
ALTER TABLE iot.dead_letter ADD COLUMN origin text;
CREATE INDEX dead_letter_origin_idx ON iot.dead_letter (origin) WHERE origin IS NOT NULL;
