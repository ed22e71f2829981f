# The farm of the simulator as if it had been milked for a month: its devices registered, named and placed, its cows with milkings twice
# a day. For the demo alone: bootstrap.py loads it when it is told to.
import csv
import math
import random
from datetime import UTC, datetime, time, timedelta

from odoo import api, fields, models
from odoo.tools import file_open

FARM = 'smart_dairy_farm.farm_green_meadow'
# What the milkings of the past come from: not from the connector, which would miss them on its side.
SOURCE = 'demo'
STALLS = 8
COLLARS = 24
FIRST_MILKING = (('morning', time(5, 30)), ('evening', time(16, 30)))
# (uid, type, name, place, stall)
DEVICES = [
    ('parlour-gw', 'gateway', "Parlour Gateway", 'parlour', False),
    ('parlour-rfid', 'rfid_reader', "Tag Reader of the Parlour", 'parlour', '*'),
    *((f'stall-{n:02}', 'milk_meter', f"Meter of Stall {n}", 'parlour', str(n)) for n in range(1, STALLS + 1)),
    ('meter_001', 'milk_meter', "Meter of Stall M1", 'parlour', 'M1'),
    ('meter_002', 'milk_meter', "Meter of Stall M2", 'parlour', 'M2'),
    ('SD-MM-001', 'milk_meter', "Meter of Stall M3", 'parlour', 'M3'),
    ('tank-01', 'temperature', "Bulk Tank 1", 'tank', False),
    ('tank-02', 'temperature', "Bulk Tank 2", 'tank', False),
    ('cold-store', 'temperature', "Cold Store", 'store', False),
    ('barn-climate', 'temperature', "Climate of the Barn", 'shed', False),
    ('feeder-01', 'feeder', "Concentrate Feeder 1", 'feed', False),
    ('feeder-02', 'feeder', "Concentrate Feeder 2", 'feed', False),
]
PLACES = {
    'parlour': "Milking Parlour", 'tank': "Tank Room", 'store': "Cold Room", 'shed': "Barn", 'feed': "Feeding Alley",
}


def wood(day):
    """Shape of a lactation by Wood: rises to its peak at about seven weeks, then falls slowly."""
    return (day + 1) ** 0.2 * math.exp(-0.004 * day)


class IotBridgeSetup(models.AbstractModel):
    _inherit = 'iot.bridge.setup'

    @api.model
    def _load_demo_devices(self):
        """Register the simulator's devices. What is there already stays as people left it."""
        farm = self.env.ref(FARM)
        Device = self.env['iot.device'].with_context(active_test=False, tracking_disable=True)
        known = {device.device_uid: device for device in Device.search([('farm_id', '=', farm.id)])}
        places = {kind: self._demo_place(farm, kind, name) for kind, name in PLACES.items()}
        animals = self._demo_animals(farm)
        wanted = [
            {'device_uid': uid, 'device_type': kind, 'name': name, 'location_id': places[place].id, 'stall': stall}
            for uid, kind, name, place, stall in DEVICES]
        # Device EUIs as scripts/dev/simulator/surroundings.ts makes them.
        wanted += [
            {'device_uid': f'5da1c011a4{n:06x}', 'device_type': 'collar', 'name': f"Collar of {animals[n].name}",
             'pen_id': animals[n].pen_id.id} for n in range(1, COLLARS + 1) if n in animals]
        for values in wanted:
            device = known.get(values['device_uid'])
            if not device:
                Device.create({**values, 'farm_id': farm.id, 'state': 'active'})
            elif device.state == 'discovered':
                device.write({**values, 'state': 'active'})
        self._put_on_demo_collars(farm, animals)

    def _demo_place(self, farm, kind, name):
        Place = self.env['iot.location']
        return Place.search([('farm_id', '=', farm.id), ('kind', '=', kind)], limit=1) or Place.search(
            [('farm_id', '=', farm.id), ('name', '=', name), ('parent_id', '=', False)], limit=1) or Place.create(
            {'farm_id': farm.id, 'kind': kind, 'name': name})

    @staticmethod
    def _demo_animals(farm):
        """Animals by their number in the simulator, which is the end of their RFID."""
        return {int(animal.rfid_tag[3:]): animal for animal in farm.animal_ids if (animal.rfid_tag or '').startswith('050')}

    def _put_on_demo_collars(self, farm, animals):
        Assignment = self.env['iot.device.assignment']
        collars = self.env['iot.device'].search([('farm_id', '=', farm.id), ('device_uid', '=like', '5da1c011a4%')])
        Assignment.create([
            {'device_id': collar.id, 'animal_id': animals[number].id, 'valid_from': fields.Datetime.now() - timedelta(days=60)}
            for collar in collars if not collar.assignment_ids and (number := int(collar.device_uid[-6:], 16)) in animals])

    @api.model
    def _load_demo_milkings(self, days):
        """Milkings of the last ``days`` days, today's not among them. Once: later calls add nothing."""
        Session = self.env['iot.milk.session'].with_context(tracking_disable=True, mail_create_nolog=True, smart_dairy_batch=True)
        if Session.search_count([('source', '=', SOURCE)], limit=1):
            return
        farm = self.env.ref(FARM)
        meters = {device.stall: device.id for device in self.env['iot.device'].search(
            [('farm_id', '=', farm.id), ('device_type', '=', 'milk_meter'), ('device_uid', '=like', 'stall-%')])}
        with file_open('smart_dairy_iot/demo/herd_milk.csv') as source:
            usual = {row['rfid']: {name: float(value) for name, value in row.items() if name != 'rfid'}
                     for row in csv.DictReader(source)}
        cows = farm.animal_ids.filtered(
            lambda cow: cow.rfid_tag in usual and cow.state == 'lactating' and cow.last_calving_date).sorted('rfid_tag')
        rows = []
        for number, cow in enumerate(cows):
            rows += self._demo_milkings_of(farm, cow, number, usual[cow.rfid_tag], days, meters)
        Session.create(rows)

    def _demo_milkings_of(self, farm, cow, number, usual, days, meters):
        # The same cow, the same milkings: no one's decision hangs on this chance.
        chance = random.Random(cow.rfid_tag)  # noqa: S311
        today, zone, rows, yields = farm._today(), farm._zone(), [], []
        in_milk = (today - cow.last_calving_date).days
        for days_ago in range(days, 0, -1):
            day_in_milk = in_milk - days_ago
            if day_in_milk < 5:
                continue  # calved since, or colostrum
            for part, first in FIRST_MILKING:
                kg = usual['yield_kg'] * wood(day_in_milk) / wood(in_milk) * chance.gauss(1, 0.06)
                if chance.random() < 0.02:
                    kg *= 0.55
                # Batches of eight, a quarter of an hour each.
                start = zone.localize(datetime.combine(today - timedelta(days=days_ago), first)).astimezone(UTC).replace(tzinfo=None)
                start += timedelta(minutes=15 * (number // STALLS), seconds=chance.randrange(120))
                stall = str((number + days_ago) % STALLS + 1)
                rows.append({
                    **self._demo_milk(kg, usual, chance, start), **self._demo_expected(kg, yields),
                    'farm_id': farm.id, 'animal_id': cow.id, 'rfid_tag': cow.rfid_tag, 'stall': stall, 'device_id': meters.get(stall),
                    'milking_of_day': part, 'is_complete': True, 'identification': 'identified', 'source': SOURCE,
                    'source_id': f'{cow.rfid_tag}/{today - timedelta(days=days_ago)}/{part}', 'revision': 1,
                })
                yields.append(kg)
        return rows

    @staticmethod
    def _demo_milk(kg, usual, chance, start):
        seconds = round(60 + kg / usual['peak_kg_min'] * 60)
        fat, protein = usual['fat'] * chance.gauss(1, 0.03), usual['protein'] * chance.gauss(1, 0.02)
        scc = round(usual['scc_per_ml'] * chance.gauss(1, 0.1), -3)
        grades = [(3.5, 3.0, 'A'), (3.0, 2.8, 'B'), (2.5, 2.5, 'C')]
        grade = next((name for most, least, name in grades if fat >= most and protein >= least), 'reject')
        return {
            'start_datetime': start, 'end_datetime': start + timedelta(seconds=seconds), 'duration_seconds': seconds,
            'yield_kg': round(kg, 2), 'average_flow': round(kg / seconds * 60, 2), 'peak_flow': round(usual['peak_kg_min'], 2),
            'conductivity': round(usual['conductivity'] * chance.gauss(1, 0.02), 2), 'milk_temperature': round(chance.uniform(36.8, 38.4), 1),
            'fat_percentage': round(fat, 2), 'protein_percentage': round(protein, 2),
            'lactose_percentage': round(usual['lactose'] * chance.gauss(1, 0.01), 2), 'somatic_cell_count': int(scc),
            'vacuum_pressure': round(chance.uniform(41.5, 42.5), 1), 'pulsation_rate': 60,
            'quality_grade': 'reject' if scc > 400_000 else grade,
        }

    @staticmethod
    def _demo_expected(kg, yields):
        mean = sum(yields) / len(yields) if len(yields) >= 3 else False
        return {
            'expected_yield_kg': mean and round(mean, 2), 'is_abnormal': bool(mean) and abs(kg - mean) > 0.3 * mean,
            'abnormal_percent': 30, 'expected_days': 30, 'expected_least': 3,
        }
