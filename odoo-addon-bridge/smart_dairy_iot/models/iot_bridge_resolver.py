# Turns the natural keys of bridged records (farm code, device uid, RFID, ear tag) into ids, a batch at a time.
from collections import defaultdict

import psycopg2

from odoo import api, models
from odoo.exceptions import ConcurrencyError, UserError


class IotBridgeResolver(models.AbstractModel):
    _name = 'iot.bridge.resolver'
    _description = 'Natural Keys of Bridged Records'

    @api.model
    def _resolve(self, model, entries):
        """Put ``farm_id``, ``company_id``, ``device_id``, ``animal_id``, ``milk_session_id`` into the entries' values,
        as far as ``model`` has these references. Unknown farms and devices are created as discovered."""
        self = self.with_context(**model.env.context)  # noqa: PLW0642
        self._resolve_farms(entries)
        entries = [entry for entry in entries if not entry.answer]
        if 'device_uid' in model._bridge_references:
            self._resolve_devices(entries)
            entries = [entry for entry in entries if not entry.answer]
        if model._bridge_finds_animal:
            self._resolve_animals(entries)
        if 'milk_session' in model._bridge_references:
            self._resolve_milk_sessions(entries)

    def _resolve_farms(self, entries):
        codes = {entry.values['farm'] for entry in entries}
        farms = defaultdict(list)
        for farm in self.env['farm.farm'].search([('code', 'in', list(codes))]):
            farms[farm.code].append((farm.id, farm.company_id.id))
        problems = {}
        for code in codes:
            own = [found for found in farms[code] if found[1] == self.env.company.id]
            if len(farms[code]) > 1 and not own:
                problems[code] = f"farm: {code!r} is the code of several companies, none of them the caller's own"
            elif farms[code]:
                farms[code] = own or farms[code]
            else:
                farm, problem = self._discover('farm.farm', {
                    'name': code, 'code': code, 'state': 'discovered', 'company_id': self.env.company.id})
                farms[code] = [(farm.id, self.env.company.id)]
                if problem:
                    problems[code] = f"farm: {problem}"
        for entry in entries:
            code = entry.values['farm']
            if code in problems:
                entry.failed(problems[code])
            else:
                entry.values['farm_id'], entry.values['company_id'] = farms[code][0]

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
                })
                if problem:
                    entry.failed(f"device_uid: {problem}")
                    continue
                devices[key] = device.id
            values['device_id'] = devices[key]

    def _resolve_animals(self, entries):
        tags = {entry.values['rfid_tag'] for entry in entries if entry.values.get('rfid_tag')}
        refs = {entry.values['animal_ref'] for entry in entries if entry.values.get('animal_ref')}
        companies = list({entry.values['company_id'] for entry in entries})
        Animal = self.env['farm.animal']
        by_tag, by_ref = {}, defaultdict(list)
        if tags:
            for animal in Animal.search_fetch(
                [('rfid_tag', 'in', list(tags)), ('company_id', 'in', companies)], ['rfid_tag', 'company_id'],
            ):
                by_tag[animal.company_id.id, animal.rfid_tag] = animal.id
        if refs:
            for animal in Animal.search_fetch(
                [('ear_tag', 'in', list(refs)), ('company_id', 'in', companies)], ['ear_tag', 'company_id', 'farm_id'],
            ):
                by_ref[animal.company_id.id, animal.ear_tag].append((animal.farm_id.id, animal.id))
        for entry in entries:
            values = entry.values
            animal_id = by_tag.get((values['company_id'], values.get('rfid_tag')))
            if not animal_id:
                animal_id = self._by_ear_tag(by_ref.get((values['company_id'], values.get('animal_ref'))), values)
            values['animal_id'] = animal_id or False

    @staticmethod
    def _by_ear_tag(found, values):
        # Short ear tags repeat between farms of one company: the own farm first, elsewhere only when it is the only one.
        if not found:
            return False
        own = [animal_id for farm_id, animal_id in found if farm_id == values['farm_id']]
        if own:
            return own[0]
        return found[0][1] if len(found) == 1 else False

    def _resolve_milk_sessions(self, entries):
        wanted = {entry.values['milk_session'] for entry in entries if entry.values.get('milk_session')}
        if not wanted:
            return
        sessions = {
            (session.source, session.source_id): session.id
            for session in self.env['iot.milk.session'].search_fetch(
                [('source_id', 'in', list(wanted))], ['source', 'source_id'])
        }
        for entry in entries:
            key = entry.values['source'], entry.values.get('milk_session')
            entry.values['milk_session_id'] = sessions.get(key, False)

    def _discover(self, model_name, values):
        """(record, problem): a record that nobody had entered, in its own savepoint."""
        Model = self.env[model_name]
        try:
            with self.env.cr.savepoint():
                return Model.create(values), None
        except psycopg2.errors.UniqueViolation as error:
            # It was looked up before, so another call has just made it: run again and find it.
            raise ConcurrencyError(f"{model_name} was discovered by another call at the same time") from error
        except UserError as error:
            return Model, str(error.args[0])
