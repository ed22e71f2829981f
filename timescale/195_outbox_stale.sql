-- Stale: Odoo has another content of the record, in this or a later revision, as after a restore of this database. The
-- comparison raises the revision above Odoo's and sends the record again; until then it is seen.
ALTER TABLE iot.outbox
    DROP CONSTRAINT outbox_state_check,
    ADD CONSTRAINT outbox_state_check CHECK (state IN ('pending', 'parked', 'sent', 'stale'));
CREATE INDEX outbox_stale_idx ON iot.outbox (id) WHERE state = 'stale';
