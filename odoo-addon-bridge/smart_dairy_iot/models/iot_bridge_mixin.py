# The one door through which the connector writes: upsert_batch on every bridged model.
import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..tools import records as record_tools

_logger = logging.getLogger(__name__)

# The whole call has to run again on a fresh snapshot; Odoo does that by itself when these come out of it.
RETRY_CALL = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, ConcurrencyError)


class BridgeEntry:
    """One record of a batch on its way into the database."""

    __slots__ = ('answer', 'current_id', 'position', 'values')

    def __init__(self, position, values):
        self.position = position
        self.values = values
        self.current_id = None
        self.answer = None

    @property
    def key(self):
        return self.values['source'], self.values['source_id']

    def answered(self, status, record_id=False, error=False, error_type=False):
        self.answer = {
            'source_id': self.values['source_id'], 'status': status, 'id': record_id, 'error': error,
            'error_type': error_type,
        }

    def failed(self, error, error_type='validation'):
        self.answered('error', error=error, error_type=error_type)


class IotBridgeMixin(models.AbstractModel):
    _name = 'iot.bridge.mixin'
    _description = 'Record Fed by the Smart Dairy Connector'

    # What a model says about its records: fields a record may carry, keys that refer to other records, required keys.
    _bridge_fields = ()
    _bridge_references = ('farm',)
    _bridge_required = ('farm',)
    # Whether the record is about an animal, found by rfid_tag or animal_ref.
    _bridge_finds_animal = False
    # Unique indexes that two calls can race for. Any other violation is an error of the record.
    _bridge_race_indexes = ('bridge_key',)

    source = fields.Char(
        copy=False, readonly=True, help="System that the record came from. Empty for records made by hand.")
    source_id = fields.Char(
        string='Source Reference', copy=False, readonly=True, help="Identifier of the record in its source system.")
    revision = fields.Integer(
        copy=False, readonly=True, aggregator=None,
        help="Grows when the source corrects the record. An older revision never replaces a newer one.",
    )

    _bridge_key = models.UniqueIndex('(source, source_id)', "This record of the source system exists already.")

    @api.model
    def upsert_batch(self, records):
        """Create or update ``records`` by (source, source_id), each independently of the others.

        Answers one dict a record, in order: ``source_id``, ``status`` (created, updated, unchanged, stale, error),
        ``id``, ``error`` and ``error_type`` (validation, transient). Serialization failures and losing a race for
        a new key end the call with an exception; Odoo then repeats the whole call on a fresh snapshot.
        """
        self.browse().check_access('create')
        self.browse().check_access('write')
        if not isinstance(records, list):
            raise UserError(self.env._("records must be a list of objects."))
        self = self.with_context(tracking_disable=True, active_test=False)  # noqa: PLW0642
        answers = [None] * len(records)
        entries = []
        checks = self._bridge_checks()
        required = ('source', 'source_id', 'revision', *self._bridge_required)
        for position, record in enumerate(records):
            values, problems = record_tools.parse(record, checks, required)
            if not problems:
                problems = self._bridge_problems(values)
            if problems:
                answers[position] = {
                    'source_id': values.get('source_id', False), 'status': 'error', 'id': False,
                    'error': '; '.join(problems), 'error_type': 'validation',
                }
            else:
                entries.append(BridgeEntry(position, values))
        for wave in self._bridge_waves(entries):
            self._bridge_apply(wave)
            for entry in wave:
                answers[entry.position] = entry.answer
        return answers

    def _bridge_checks(self):
        """The check of every key that a record of this model may carry."""
        names = ('source', 'source_id', 'revision', *self._bridge_fields)
        checks = dict.fromkeys(self._bridge_references, record_tools.text)
        if 'device_type' in checks:
            checks['device_type'] = record_tools.check_for(self.env['iot.device']._fields['device_type'], self.env)
        checks.update((name, record_tools.check_for(self._fields[name], self.env)) for name in names)
        return checks

    def _bridge_problems(self, values):
        """Texts about combinations of values that make no sense. For models to extend."""
        return []

    @staticmethod
    def _bridge_waves(entries):
        """Entries in rounds without a repeated key, so that a key that comes twice is applied twice, in order."""
        waves, seen = [], {}
        for entry in entries:
            number = seen[entry.key] = seen.get(entry.key, -1) + 1
            if number == len(waves):
                waves.append([])
            waves[number].append(entry)
        return waves

    def _bridge_apply(self, entries):
        """Apply entries with distinct keys and leave an answer on each."""
        existing = self._bridge_existing(entries)
        pending = []
        for entry in entries:
            entry.current_id, revision = existing.get(entry.key, (None, None))
            if entry.current_id is None or entry.values['revision'] > revision:
                pending.append(entry)
            else:
                status = 'unchanged' if entry.values['revision'] == revision else 'stale'
                entry.answered(status, entry.current_id)
        self.env['iot.bridge.resolver']._resolve(self, pending)
        self._bridge_adopt([entry for entry in pending if not entry.answer and entry.current_id is None])
        pending = [entry for entry in pending if not entry.answer]
        self._bridge_isolated([e for e in pending if e.current_id is None], self._bridge_insert)
        self._bridge_isolated([e for e in pending if e.current_id is not None], self._bridge_update)

    def _bridge_existing(self, entries):
        """``{(source, source_id): (id, revision)}`` of the entries that are in the database, in one query."""
        if not entries:
            return {}
        self.flush_model(['source', 'source_id', 'revision'])
        # SQL, because a record that the rules hide from the caller still owns its key.
        # A join, because the planner turns a long IN list of pairs into as many ORs, and may then read the whole table.
        sources, source_ids = map(list, zip(*(entry.key for entry in entries)))
        self.env.cr.execute(SQL(
            """SELECT source, source_id, id, COALESCE(revision, 0)
                 FROM %s JOIN unnest(%s::varchar[], %s::varchar[]) AS wanted (source, source_id)
                USING (source, source_id)""",
            SQL.identifier(self._table), sources, source_ids))
        return {(source, source_id): (rid, revision) for source, source_id, rid, revision in self.env.cr.fetchall()}

    def _bridge_adopt(self, entries):
        """Set ``current_id`` of new entries that match a record made by hand. For models to extend."""

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
                raise ConcurrencyError(f"{self._name}: the same record was inserted by another call") from error
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

    def _bridge_error(self, error):
        """(text, error type) of what went wrong with a single record."""
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

    def _bridge_insert(self, entries):
        records = self.create([
            {**self._bridge_values(entry), 'source': entry.values['source'], 'source_id': entry.values['source_id'],
             'revision': entry.values['revision']}
            for entry in entries
        ])
        self.env.cr.flush()
        for entry, record in zip(entries, records):
            entry.answered('created', record.id)

    def _bridge_update(self, entries):
        records = self.browse(entry.current_id for entry in entries)
        for entry, record in zip(entries, records):
            values = self._bridge_changes(record, entry)
            record.write({**values, 'source': entry.values['source'], 'source_id': entry.values['source_id'],
                          'revision': entry.values['revision']})
        self.env.cr.flush()
        for entry in entries:
            entry.answered('updated', entry.current_id)

    def _bridge_values(self, entry):
        """Odoo values of a new record. The resolver has put ids in place of references."""
        skipped = {'source', 'source_id', 'revision', *self._bridge_references}
        return {name: value for name, value in entry.values.items() if name not in skipped}

    def _bridge_changes(self, record, entry):
        """Odoo values that bring ``record`` to this entry: a revision is complete, so an absent value is cleared."""
        values = dict.fromkeys(self._bridge_fields, False) | self._bridge_values(entry)
        values.pop('company_id', None)  # follows the farm
        return values
