-- Native partitions (plain PostgreSQL): made without stopping writers, dropped when they are old.

-- True when this relation has native partitions. Asked of the table itself and not of iot.edition(): a database that began
-- as plain PostgreSQL stays so when the server gets TimescaleDB later.
CREATE FUNCTION iot.is_native(relation text) RETURNS boolean
    LANGUAGE sql STABLE AS $$ SELECT relkind = 'p' FROM pg_class WHERE oid = format('iot.%I', relation)::regclass $$;

-- Makes one partition unless it is there. ATTACH lets others read and write the table meanwhile; CREATE ... PARTITION OF
-- would make them wait.
CREATE FUNCTION iot.make_partition(relation text, since timestamptz, until timestamptz) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    part text := relation || '_' || to_char(since AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    IF to_regclass(format('iot.%I', part)) IS NOT NULL THEN
        RETURN;
    END IF;
    -- Two writers may meet here; the lock lets one make it and the other see it.
    PERFORM pg_advisory_xact_lock(hashtext('iot.' || relation), (since AT TIME ZONE 'UTC')::date - DATE '2000-01-01');
    -- Asked of the table pg_class: to_regclass may still remember that there was none.
    IF NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'iot'::regnamespace AND relname = part) THEN
        EXECUTE format('CREATE TABLE iot.%I (LIKE iot.%I INCLUDING DEFAULTS INCLUDING INDEXES)', part, relation);
        EXECUTE format('ALTER TABLE iot.%I ATTACH PARTITION iot.%I FOR VALUES FROM (%L) TO (%L)', relation, part, since, until);
    END IF;
END $$;

-- Makes sure that readings of these UTC days have a partition. Only plain PostgreSQL needs it; asking is always right.
CREATE OR REPLACE FUNCTION iot.prepare_days(days date[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    day date;
BEGIN
    IF NOT iot.is_native('reading') THEN
        RETURN;
    END IF;
    FOREACH day IN ARRAY days LOOP
        PERFORM iot.make_partition('reading', day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    END LOOP;
END $$;

-- Drops what lies wholly before `cutoff`, chunks or partitions alike. Returns how many were dropped.
CREATE FUNCTION iot.drop_before(relation text, cutoff timestamptz) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    part    regclass;
    dropped integer := 0;
BEGIN
    IF NOT iot.is_native(relation) THEN
        RETURN count(*) FROM drop_chunks(format('iot.%I', relation)::regclass, older_than => cutoff);
    END IF;
    -- Dropping waits for readers and makes everybody wait behind it: give up soon, the job comes again.
    PERFORM set_config('lock_timeout', '3s', true);
    FOR part IN
        SELECT c.oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = format('iot.%I', relation)::regclass
          AND substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$TO \('([^']+)'\)$re$)::timestamptz <= cutoff
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
