# Turns the natural keys of bridged records (farm code, device uid, RFID, ear tag) into ids, a batch at a time.
from collections import defaultdict

import psycopg2

from odoo import api, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import SQL

# By what a record is the only one, whoever may see it.
KEYS = {'farm.farm': [('code', 'company_id')], 'iot.device': [('farm_id', 'device_uid')]}
BRIDGE_KEY = ('source_id', 'source', 'company_id')


class IotBridgeResolver(models.AbstractModel):
    _name = 'iot.bridge.resolver'
    _description = 'Natural Keys of Bridged Records'

    @api.model
    def _resolve(self, model, entries):
        """Put ``farm_id``, ``device_id``, ``animal_id``, ``milk_session_id`` into the entries' values, as far as ``model``
        has these references. Unknown farms and devices are created as discovered. Comes after ``_find_farms``."""
        self = self.with_context(**model.env.context)  # noqa: PLW0642
        self._discover_farms(entries)
        entries = [entry for entry in entries if not entry.answer]
        if 'device_uid' in model._bridge_references:
            self._resolve_devices(entries)
            entries = [entry for entry in entries if not entry.answer]
        if model._bridge_finds_animal:
            self._resolve_animals(entries, model._bridge_moment)
            model._bridge_exclude(entries, model._bridge_moment)
        if 'milk_session' in model._bridge_references:
            self._resolve_milk_sessions(entries)

    @api.model
    def _find_farms(self, entries):
        """Put ``company_id``, and ``farm_id`` of farms that are known, into the entries' values. Discovers nothing."""
        codes = {entry.values['farm'] for entry in entries}
        farms = defaultdict(list)
        for farm in self.env['farm.farm'].with_context(active_test=False).search_fetch(
                [('code', 'in', list(codes))], ['code', 'company_id']):
            farms[farm.code].append((farm.id, farm.company_id.id))
        company_id = self.env.company.id
        for entry in entries:
            code = entry.values['farm']
            own = [found for found in farms[code] if found[1] == company_id]
            if len(farms[code]) > 1 and not own:
                entry.failed(f"farm: {code!r} is the code of several companies, none of them the caller's own")
            else:
                entry.values['farm_id'], entry.values['company_id'] = (own or farms[code] or [(None, company_id)])[0]

    def _discover_farms(self, entries):
        unknown = [entry for entry in entries if not entry.values['farm_id']]
        found = {
            code: self._discover('farm.farm', {
                'name': code, 'code': code, 'state': 'discovered', 'company_id': self.env.company.id}, 'company_id', 'code')
            for code in {entry.values['farm'] for entry in unknown}}
        for entry in unknown:
            farm, problem = found[entry.values['farm']]
            if problem:
                entry.failed(f"farm: {problem}")
            else:
                entry.values['farm_id'] = farm.id

    def _resolve_devices(self, entries):
        for entry in entries:
            entry.values['device_id'] = False
        named = [entry for entry in entries if entry.values.get('device_uid')]
        if not named:
            return
        devices = {
            (device.farm_id.id, device.device_uid): device.id
            for device in self.env['iot.device'].search_fetch([
                ('farm_id', 'in', list({entry.values['farm_id'] for entry in named})),
                ('device_uid', 'in', list({entry.values['device_uid'] for entry in named})),
            ], ['farm_id', 'device_uid'])
        }
        for entry in named:
            values = entry.values
            key = values['farm_id'], values['device_uid']
            if key not in devices:
                seen = values.get('end_datetime') or values.get('start_datetime') or values.get('raised_at')
                device, problem = self._discover('iot.device', {
                    'farm_id': values['farm_id'], 'company_id': values['company_id'], 'name': values['device_uid'],
                    'device_uid': values['device_uid'], 'device_type': values.get('device_type', False),
                    'state': 'discovered', 'first_seen': seen, 'last_seen': seen, 'source': values['source'],
                    'source_id': f"{values['farm']}/{values['device_uid']}", 'revision': 0,
                }, 'farm_id', 'device_uid')
                if problem:
                    entry.failed(f"device_uid: {problem}")
                    continue
                devices[key] = device.id
            values['device_id'] = devices[key]

    def _resolve_animals(self, entries, moment):
        holders = self.env['farm.animal.tag']._holders(
            {entry.values['company_id'] for entry in entries},
            {entry.values['rfid_tag'] for entry in entries if entry.values.get('rfid_tag')},
            {entry.values['animal_ref'] for entry in entries if entry.values.get('animal_ref')})
        for entry in entries:
            values = entry.values
            values['animal_id'] = holders.animal_id(
                values['company_id'], values['farm_id'], values[moment], values.get('rfid_tag'), values.get('animal_ref'))

    def _resolve_milk_sessions(self, entries):
        wanted = {entry.values['milk_session'] for entry in entries if entry.values.get('milk_session')}
        if not wanted:
            return
        sessions = {
            (session.company_id.id, session.source, session.source_id): session
            for session in self.env['iot.milk.session'].search_fetch(
                [('source_id', 'in', list(wanted))], ['company_id', 'source', 'source_id', 'animal_id'])
        }
        for entry in entries:
            key = entry.values['company_id'], entry.values['source'], entry.values.get('milk_session')
            session = sessions.get(key)
            entry.values['milk_session_id'] = session.id if session else False
            if session:
                # Whose the milking is is known there, perhaps from a person.
                entry.values['animal_id'] = session.animal_id.id

    def _discover(self, model_name, values, scope, key):
        """(record, problem): a record that nobody had entered, in its own savepoint. ``key`` is unique within ``scope``."""
        Model = self.env[model_name]
        self._claim(model_name, scope, values[scope], key, [values[key]])
        try:
            with self.env.cr.savepoint():
                return Model.create(values), None
        except psycopg2.errors.UniqueViolation as error:
            if problem := self._hidden(model_name, values):
                return Model, problem
            # It was looked up before, so another call has just made it: run again and find it.
            raise ConcurrencyError(f"{model_name} was discovered by another call at the same time") from error
        except UserError as error:
            return Model, str(error.args[0])

    def _hidden(self, model_name, values, current_id=None):
        """A text when the place of a record with ``values`` is taken by one that the caller may not see, else False. One that
        our snapshot does not show either is another call's: a race."""
        Model = self.env[model_name]
        for columns in [*KEYS.get(model_name, []), BRIDGE_KEY]:
            if any(values.get(name) is None for name in columns):
                continue
            same = SQL(" AND ").join(SQL("%s = %s", SQL.identifier(name), values[name]) for name in columns)
            self.env.cr.execute(SQL("SELECT id FROM %s WHERE %s", SQL.identifier(Model._table), same))
            for [record_id] in self.env.cr.fetchall():
                # sudo: only to say whose it is
                company = Model.sudo().browse(record_id).company_id.name
                if record_id != current_id and not Model.browse(record_id).has_access('read'):
                    return (f"{model_name} {record_id} of company {company!r} has this key already, and the connector's user may "
                            f"not see it: add the company to the user")
        return False

    @api.model
    def _claim(self, model_name, scope, scope_id, key, values):
        """Make sure that nobody else makes one of these records: neither now, nor since our snapshot was taken. Asked beforehand,
        because the database tells of a lost race by an ERROR in Odoo's log, at the first start of every farm."""
        table = self.env[model_name]._table
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), %s)", [table, scope_id])
        [is_ours] = self.env.cr.fetchone()
        if is_ours:
            # What others have committed since: our own transaction cannot see it.
            with self.env.registry.cursor() as now:
                now.execute(SQL(
                    "SELECT id FROM %s WHERE %s = %s AND %s = ANY (%s)",
                    SQL.identifier(table), SQL.identifier(scope), scope_id, SQL.identifier(key), list(values)))
                ids = [record_id for [record_id] in now.fetchall()]
            if ids:
                # What our snapshot shows as well is no race: rules or companies hide it from the caller, for good.
                self.env.cr.execute(SQL("SELECT FROM %s WHERE id = ANY (%s)", SQL.identifier(table), ids))
                is_ours = self.env.cr.rowcount == len(ids)
        if not is_ours:
            raise ConcurrencyError(f"{model_name} was discovered by another call at the same time")
