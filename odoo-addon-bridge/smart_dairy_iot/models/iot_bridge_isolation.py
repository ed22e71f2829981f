# One bad record costs neither its batch nor the others: savepoints, halving, and which failures are whose.
import logging

import psycopg2

from odoo import models
from odoo.exceptions import AccessError, ConcurrencyError, MissingError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)

# The whole call has to run again on a fresh snapshot; Odoo does that by itself when these come out of it.
RETRY_CALL = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)


class IotBridgeMixin(models.AbstractModel):
    _inherit = 'iot.bridge.mixin'

    def _bridge_isolated(self, entries, apply):
        """Run ``apply(entries)`` in one savepoint; on failure halve, until the bad entry stands alone."""
        if not entries:
            return
        try:
            with self.env.cr.savepoint():
                apply(entries)
        except RETRY_CALL:
            raise
        except Exception as error:
            if self._bridge_is_race(error):
                rest = self._bridge_without_hidden(entries)
                if len(rest) == len(entries):
                    raise ConcurrencyError(f"{self._name}: the same record was inserted by another call") from error
                self._bridge_isolated(rest, apply)
                return
            if len(entries) == 1:
                entries[0].failed(*self._bridge_error(error))
                return
            middle = len(entries) // 2
            self._bridge_isolated(entries[:middle], apply)
            self._bridge_isolated(entries[middle:], apply)

    def _bridge_is_race(self, error):
        # Keys were looked up before, so a violation means a row that our snapshot cannot see yet.
        if not isinstance(error, psycopg2.errors.UniqueViolation):
            return False
        return error.diag.constraint_name in {f"{self._table}_{name}" for name in self._bridge_race_indexes}

    def _bridge_without_hidden(self, entries):
        """The entries but those whose place is taken by a record that rules or companies hide: errors of these, for it stays
        hidden however often the call is repeated."""
        resolver, rest = self.env['iot.bridge.resolver'], []
        for entry in entries:
            if problem := resolver._hidden(self._name, entry.values, entry.current_id):
                entry.failed(problem)
            else:
                rest.append(entry)
        return rest

    def _bridge_error(self, error):
        """(text, error type) of what went wrong with a single record."""
        if isinstance(error, (MissingError, psycopg2.errors.ForeignKeyViolation)):
            # Its ids were looked up in this very call: a person deletes one of them right now. Next time it is seen.
            return f"a record was deleted during the call: {str(error).strip()}", 'transient'
        if isinstance(error, (UserError, AccessError)):
            return str(error.args[0] if error.args else error), 'validation'
        if isinstance(error, psycopg2.IntegrityError):
            return self._sql_error_to_message(error), 'validation'
        if isinstance(error, (psycopg2.DataError, ValueError)):
            return str(error).strip(), 'validation'
        if isinstance(error, psycopg2.OperationalError):
            raise error
        _logger.error("%s: a record could not be stored", self._name, exc_info=error)
        return f"{type(error).__name__}: {error}", 'transient'
