-- What traffic of unknown devices has made is counted, so that one account cannot fill the register: see intake.max_new_farms and
-- intake.max_new_devices_per_hour.
ALTER TABLE iot.farm ADD COLUMN from_traffic boolean NOT NULL DEFAULT false;
ALTER TABLE iot.device ADD COLUMN created_at timestamptz;
ALTER TABLE iot.device ALTER COLUMN created_at SET DEFAULT now();
CREATE INDEX device_created ON iot.device (created_at);
