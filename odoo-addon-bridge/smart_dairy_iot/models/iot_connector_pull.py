# What the connector reads from Odoo: changed records in pages behind a cursor, without missing late commits.
import time
from datetime import datetime

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

# kind: model. The connector asks in this order, because they refer to each other.
KINDS = {
    'farm': 'farm.farm',
    'pen': 'farm.pen',
    'animal': 'farm.animal',
    'animal_tag': 'farm.animal.tag',
    'device': 'iot.device',
    'assignment': 'iot.device.assignment',
    'threshold': 'iot.threshold',
    'tombstone': 'iot.connector.tombstone',
}
MAX_LIMIT = 5000
# How long a pull that found nothing waits for records that it may not show yet.
PATIENCE_S = 0.8
# A transaction that runs longer than this holds nothing back any more; what it then commits comes with the next full
# synchronisation. Odoo's own limit for a request is far below.
LONGEST_TRANSACTION = '10 minutes'


class IotConnector(models.AbstractModel):
    _inherit = 'iot.connector'

    @api.model
    def pull(self, kind, cursor='', limit=1000):
        """Records of ``kind`` that changed after ``cursor``, oldest first; for the connector only.

        Answers ``{"records": [...], "cursor": "<write_date>|<id>", "more": bool, "held_back": bool}``. An empty cursor
        begins at the start. ``held_back``: there are newer records that cannot be shown yet, ask again soon.
        """
        # The rights of the models do not suffice: farm staff may read animals, but has no business here.
        if not self.env.user.has_group('smart_dairy_iot.group_connector'):
            raise AccessError(self.env._("Only the connector pulls records."))
        self._check_meant()
        if kind not in KINDS:
            raise UserError(self.env._("%(kind)s is not a kind, use one of %(kinds)s.", kind=kind, kinds=', '.join(KINDS)))
        after = self._parse_cursor(cursor)
        limit = max(1, min(int(limit), MAX_LIMIT))
        self.env.cr.execute("SELECT pg_backend_pid()")
        [own_pid] = self.env.cr.fetchone()
        deadline = time.monotonic() + PATIENCE_S
        with self._own_transaction() as env:
            while True:
                page = self._page(env, KINDS[kind], after, limit, own_pid)
                if page['records'] or not page['held_back'] or time.monotonic() > deadline:
                    break
                time.sleep(0.05)
        return {**page, 'cursor': page['cursor'] or cursor or ''}

    def _page(self, env, model_name, after, limit, own_pid):
        until = self._watermark(env, own_pid)
        Model = env[model_name].with_context(active_test=False)
        moment = SQL("COALESCE(%s, %s)", SQL.identifier(Model._table, self._moment(Model)),
                     SQL.identifier(Model._table, 'write_date'))
        query = Model._search([], active_test=False)
        query.add_where(SQL("(%s, %s) > (%s, %s)", moment, SQL.identifier(Model._table, 'id'), *after))
        query.order = SQL("%s, %s", moment, SQL.identifier(Model._table, 'id'))
        query.limit = limit + 1
        rows = env.execute_query(query.select(SQL.identifier(Model._table, 'id'), moment))
        ready = [(rid, changed) for rid, changed in rows if changed < until]
        page = ready[:limit]
        records = [
            {'id': record.id, 'write_date': str(changed), 'active': record.active if 'active' in record else True,
             **record._pull_values()}
            for record, (_rid, changed) in zip(Model.browse(rid for rid, _changed in page), page)
        ]
        return {
            'records': records, 'cursor': page and f"{page[-1][1].isoformat(' ', 'microseconds')}|{page[-1][0]}",
            'more': len(ready) > limit, 'held_back': len(ready) < len(rows),
        }

    @staticmethod
    def _moment(Model):
        return getattr(Model, '_pull_moment', 'write_date')

    def _watermark(self, env, own_pid):
        """The time before which no further record can appear.

        Odoo stamps a record with the *start* of its transaction, and transactions end out of order: a record of a slow
        one appears behind the cursor, and would never be pulled. Every transaction that is still open shows its start
        in pg_stat_activity, so whatever is older than the oldest of them is complete. The look at the activity has to
        come *before* the snapshot that reads the records, hence the rollback: a transaction that ends between the two
        is then at least visible. (A transaction id would not do: it is given out with the first write, not at the start.)
        """
        env.cr.execute(SQL(
            """SELECT LEAST(min(xact_start), clock_timestamp() - interval '20 milliseconds') AT TIME ZONE 'UTC'
                 FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend'
                  AND pid NOT IN (pg_backend_pid(), %s) AND xact_start > now() - %s::interval""",
            own_pid, LONGEST_TRANSACTION))
        [until] = env.cr.fetchone()
        self._fresh_snapshot(env)
        return until

    def _fresh_snapshot(self, env):
        env.cr.rollback()

    def _parse_cursor(self, cursor):
        """(time, id) of a cursor."""
        if not cursor:
            return datetime.min, 0
        moment, _bar, rid = cursor.partition('|')
        try:
            return datetime.fromisoformat(moment), int(rid)
        except ValueError as error:
            raise UserError(self.env._("\"%s\" is not a cursor. Use the one of the last answer, or none.", cursor)) from error


class IotConnectorTombstone(models.Model):
    _inherit = 'iot.connector.tombstone'

    def _pull_values(self):
        return {'kind': self.kind, 'res_id': self.res_id, 'key': self.natural_key}
