-- What `npm run db -- status` shows.

-- The big tables: how they are cut, how many parts, how many of these compressed, size with indexes, and the time they span.
CREATE FUNCTION iot.storage_status()
    RETURNS TABLE (relation text, layout text, parts bigint, compressed bigint, bytes bigint, oldest timestamptz, newest timestamptz)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    target regclass;
BEGIN
    FOREACH relation IN ARRAY ARRAY['reading', 'rollup_15min', 'rollup_1h', 'rollup_1d'] LOOP
        target := format('iot.%I', relation)::regclass;
        IF iot.is_native(relation) THEN
            RETURN QUERY
                SELECT relation, 'partitions', count(*), 0::bigint, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
                       min(substring(bounds FROM $re$FROM \('([^']+)'\)$re$)::timestamptz),
                       max(substring(bounds FROM $re$TO \('([^']+)'\)$re$)::timestamptz)
                FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) AS bounds
                WHERE i.inhparent = target;
        ELSIF iot.hypertable_of(target) IS NULL THEN
            RETURN QUERY EXECUTE format(
                'SELECT %L, ''table'', 1::bigint, 0::bigint, pg_total_relation_size(%L), min(bucket), max(bucket) FROM %s',
                relation, target::text, target);
        ELSE
            RETURN QUERY
                SELECT relation, 'chunks', count(*), count(*) FILTER (WHERE c.is_compressed), hypertable_size(iot.hypertable_of(target)),
                       min(c.range_start), max(c.range_end)
                FROM timescaledb_information.chunks c
                WHERE format('%I.%I', c.hypertable_schema, c.hypertable_name)::regclass = iot.hypertable_of(target);
        END IF;
    END LOOP;
END $$;

-- The hypertable behind a table or a continuous aggregate; null when there is none.
CREATE FUNCTION iot.hypertable_of(target regclass) RETURNS regclass
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF iot.edition() = 'plain' THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT format('%I.%I', hypertable_schema, hypertable_name)::regclass FROM timescaledb_information.hypertables
        WHERE format('%I.%I', hypertable_schema, hypertable_name)::regclass = target
        UNION ALL
        SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass
        FROM timescaledb_information.continuous_aggregates
        WHERE format('%I.%I', view_schema, view_name)::regclass = target);
END $$;

-- The jobs that the database runs by itself (policies), and how they did last.
CREATE FUNCTION iot.storage_policies()
    RETURNS TABLE (relation text, policy text, last_success timestamptz, last_status text, failures bigint, next_start timestamptz)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF iot.edition() <> 'community' THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT j.hypertable_name::text, replace(j.proc_name, 'policy_', ''), nullif(s.last_successful_finish, '-infinity'), s.last_run_status,
               coalesce(s.total_failures, 0), j.next_start
        FROM timescaledb_information.jobs j LEFT JOIN timescaledb_information.job_stats s ON s.job_id = j.job_id
        WHERE j.hypertable_schema IN ('iot', '_timescaledb_internal') AND j.proc_name LIKE 'policy\_%'
        ORDER BY 1, 2;
END $$;
