-- Queries meet this function once a partition when they choose the partitions to read. A SQL function is planned anew each time, which
-- was half of the time of a query over three months; one in PL/pgSQL is planned once a connection.
CREATE OR REPLACE FUNCTION iot.rolled_until() RETURNS timestamptz
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT rolled_until FROM iot.storage);
END $$;
