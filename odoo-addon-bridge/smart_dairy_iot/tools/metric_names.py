# Names for people of the connector's metrics (config/metrics.yaml) and of their units.
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

NAMES = {
    'milk_yield': _lt("Milk Yield"),
    'milk_yield_increment': _lt("Milk since the Last Message"),
    # No metric of the catalogue, but worked out from one.
    'milk_yield_deviation': _lt("Deviation from the Expected Yield"),
    'milk_flow': _lt("Milk Flow"),
    'milk_flow_average': _lt("Average Milk Flow"),
    'milk_flow_peak': _lt("Peak Milk Flow"),
    'milk_conductivity': _lt("Milk Conductivity"),
    'milk_temperature': _lt("Milk Temperature"),
    'milk_fat': _lt("Fat"),
    'milk_protein': _lt("Protein"),
    'milk_lactose': _lt("Lactose"),
    'milk_scc': _lt("Somatic Cell Count"),
    'milk_blood': _lt("Blood in Milk"),
    'milking_duration': _lt("Milking Duration"),
    'vacuum_pressure': _lt("Vacuum"),
    'pulsation_rate': _lt("Pulsation Rate"),
    'temperature': _lt("Temperature"),
    'humidity': _lt("Humidity"),
    'pressure': _lt("Pressure"),
    'ph': _lt("pH"),
    'external_temperature': _lt("Outside Temperature"),
    'co2': _lt("Carbon Dioxide"),
    'illuminance': _lt("Light"),
    'motion': _lt("Motion"),
    'tank_milk': _lt("Milk in the Tank"),
    'tank_level': _lt("Tank Level"),
    'setpoint_temperature': _lt("Target Temperature"),
    'cooling': _lt("Cooling"),
    'agitator': _lt("Agitator"),
    'flow': _lt("Flow"),
    'flow_total': _lt("Total Flow"),
    'feed_dispensed': _lt("Feed Dispensed"),
    'feed_stock': _lt("Feed in Stock"),
    'feed_portion': _lt("Feed Portion"),
    'water_intake': _lt("Water Drunk"),
    'water_temperature': _lt("Water Temperature"),
    'gate_open': _lt("Gate Open"),
    'gate_passages': _lt("Passages"),
    'power': _lt("Power"),
    'voltage': _lt("Voltage"),
    'current': _lt("Current"),
    'frequency': _lt("Frequency"),
    'energy': _lt("Energy"),
    'activity': _lt("Activity"),
    'rumination': _lt("Rumination"),
    'lying': _lt("Lying"),
    'standing': _lt("Standing"),
    'steps': _lt("Steps"),
    'body_temperature': _lt("Body Temperature"),
    'latitude': _lt("Latitude"),
    'longitude': _lt("Longitude"),
    'battery_voltage': _lt("Battery Voltage"),
    'snr': _lt("Signal to Noise"),
    'battery': _lt("Battery"),
    'rssi': _lt("Signal"),
}
# UCUM, as far as it differs from what people write.
UNITS = {'Cel': '°C', '1': '', '[pH]': '', '[ppm]': 'ppm', 'kW.h': 'kWh', 'deg': '°'}


def label(env, metric):
    """Name in the user's language; a metric that only this farm has keeps its own name."""
    name = NAMES.get(metric)
    return env._(name) if name else metric.replace('_', ' ').capitalize()


def unit(code):
    """A unit as people write it; annotations such as {count} say nothing that the name does not say."""
    return UNITS.get(code, '' if code.startswith('{') else code)
