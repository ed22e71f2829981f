# The one door through which the connector writes: upsert_batch on every bridged model.
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..tools import records as record_tools

# By these a record is known to its source, and which of two versions is the newer one: the connector's alone.
KEY_FIELDS = frozenset(('source', 'source_id', 'revision', 'content_hash'))


class BridgeEntry:
    """One record of a batch on its way into the database."""

    __slots__ = ('answer', 'current_id', 'is_doubtful', 'position', 'values')

    def __init__(self, position, values):
        self.position = position
        self.values = values
        self.current_id = None
        # Whether its animal has to be looked at more closely once the record is written.
        self.is_doubtful = False
        self.answer = None

    @property
    def key(self):
        return self.values.get('company_id'), self.values['source'], self.values['source_id']

    def answered(self, status, record_id=False, error=False, error_type=False, **more):
        self.answer = {
            'source_id': self.values['source_id'], 'status': status, 'id': record_id, 'error': error,
            'error_type': error_type, **more,
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
    # Whether the record is about an animal, found by rfid_tag or animal_ref, as they were at the time in this field.
    _bridge_finds_animal = False
    _bridge_moment = None
    # Unique indexes that two calls can race for. Any other violation is an error of the record.
    _bridge_race_indexes = ('bridge_key',)

    source = fields.Char(
        copy=False, readonly=True, help="System that the record came from. Empty for records made by hand.")
    source_id = fields.Char(
        string='Source Reference', copy=False, readonly=True, help="Identifier of the record in its source system.")
    revision = fields.Integer(
        copy=False, readonly=True, aggregator=None,
        help="Grows when the source corrects the record. An older revision never replaces a newer one.")
    content_hash = fields.Char(
        copy=False, readonly=True,
        help="Fingerprint of the content as the source sent it: by it the two sides are compared.")

    _bridge_key = models.UniqueIndex(
        '(source_id, source, company_id)', "This record of the source system exists already.")

    @api.model
    def upsert_batch(self, records):
        """Create or update ``records`` by (company, source, source_id), each independently of the others.

        Answers one dict a record, in order: ``source_id``, ``status`` (created, updated, unchanged, stale, error), ``id``,
        ``error``, ``error_type`` (validation, transient), and ``revision``, the one that is here, where it is stale. Losing
        a race (serialization, a new key) ends the call with an exception; Odoo then repeats it on a fresh snapshot.
        """
        if not self._is_connector():
            raise AccessError(self.env._("Only the connector brings records."))
        self.env['iot.connector']._check_meant()
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
        names = (*KEY_FIELDS, *self._bridge_fields)
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
        # The company is part of the key.
        self.env['iot.bridge.resolver']._find_farms(entries)
        entries = [entry for entry in entries if not entry.answer]
        existing = self._bridge_existing(entries)
        for entry in entries:
            if entry.key in existing:
                self._bridge_compare(entry, *existing[entry.key])
        pending = [entry for entry in entries if not entry.answer]
        self.env['iot.bridge.resolver']._resolve(self, pending)
        self._bridge_adopt([entry for entry in pending if not entry.answer and entry.current_id is None])
        pending = [entry for entry in pending if not entry.answer]
        self._bridge_isolated([e for e in pending if e.current_id is None], self._bridge_insert)
        self._bridge_isolated([e for e in pending if e.current_id is not None], self._bridge_update)

    def _bridge_compare(self, entry, record_id, revision, content_hash):
        """Answer an entry that brings nothing new. A revision is new; so is the content of one whose content is not known."""
        entry.current_id = record_id
        sent, sent_hash = entry.values['revision'], entry.values.get('content_hash')
        if sent > revision or (sent == revision and sent_hash and not content_hash):
            return
        if sent_hash == content_hash if sent_hash and content_hash else sent == revision:
            entry.answered('unchanged', record_id)
            return
        other = "other content" if sent == revision else "a newer one"
        entry.answered('stale', record_id, f"revision {sent}: Odoo has {other}, in revision {revision}", revision=revision)

    def _bridge_existing(self, entries):
        """``{key: (id, revision, content hash)}`` of the entries that are in the database, in one query."""
        if not entries:
            return {}
        self.flush_model(['company_id', *KEY_FIELDS])
        # SQL, because a record that the rules hide from the caller still owns its key.
        # A join, because the planner turns a long IN list of pairs into as many ORs, and may then read the whole table.
        companies, sources, source_ids = map(list, zip(*(entry.key for entry in entries)))
        self.env.cr.execute(SQL(
            """SELECT company_id, source, source_id, id, COALESCE(revision, 0), content_hash
                 FROM %s JOIN unnest(%s::int[], %s::varchar[], %s::varchar[]) AS wanted (company_id, source, source_id)
                USING (company_id, source, source_id)""",
            SQL.identifier(self._table), companies, sources, source_ids))
        return {tuple(row[:3]): row[3:] for row in self.env.cr.fetchall()}

    @api.model
    def _bridge_exclude(self, entries, moment):
        """Take from entries the animals that they cannot be about. For models to extend."""

    def _bridge_adopt(self, entries):
        """Set ``current_id`` of new entries that match a record made by hand. For models to extend."""

    def _bridge_insert(self, entries):
        # Defaults once: asked for each record and field, they took as long as storing the record.
        defaults = self._add_missing_default_values({})
        records = self.with_context(smart_dairy_complete=self._name).create([
            {**defaults, **self._bridge_values(entry), **self._bridge_key_values(entry)} for entry in entries])
        self.env.cr.flush()
        for entry, record in zip(entries, records):
            entry.answered('created', record.id)

    def _bridge_update(self, entries):
        records = self.browse(entry.current_id for entry in entries)
        # sudo: asked once, not again by each write, where it took a fifth of the time
        records.check_access('write')
        for entry, record in zip(entries, records.sudo()):
            values = self._bridge_changes(record, entry)
            record.write({**values, **self._bridge_key_values(entry)})
        self.env.cr.flush()
        for entry in entries:
            entry.answered('updated', entry.current_id)

    def _add_missing_default_values(self, values):
        if self.env.context.get('smart_dairy_complete') == self._name:
            return values
        return super()._add_missing_default_values(values)

    @staticmethod
    def _bridge_key_values(entry):
        return {name: entry.values.get(name, False) for name in KEY_FIELDS}

    def _bridge_values(self, entry):
        """Odoo values of a new record. The resolver has put ids in place of references."""
        skipped = {*KEY_FIELDS, *self._bridge_references}
        return {name: value for name, value in entry.values.items() if name not in skipped}

    def _bridge_changes(self, record, entry):
        """Odoo values that bring ``record`` to this entry: a revision is complete, so an absent value is cleared."""
        values = dict.fromkeys(self._bridge_fields, False) | self._bridge_values(entry)
        values.pop('company_id', None)  # follows the farm
        return values
