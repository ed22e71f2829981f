-- Every record on its way to Odoo is updated twice, leased and settled. With room on its page the new version stays there
-- (HOT) where no index changes; leasing 1,000 took 8 instead of 15 ms, settling them 12 instead of 15.
ALTER TABLE iot.outbox SET (fillfactor = 50);
