# Names and texts of alerts for people. A type that is not here is shown by its name and the text that came with it.
import json

from odoo.tools.misc import formatLang
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

LABELS = {
    'high_scc': _lt("High SCC"),
    'abnormal_conductivity': _lt("Abnormal Conductivity"),
    'abnormal_milk_temperature': _lt("Abnormal Milk Temperature"),
    'blood_in_milk': _lt("Blood in Milk"),
    'yield_limit': _lt("Yield beyond Limit"),
    'abnormal_yield': _lt("Abnormal Yield"),
    'impossible_yield': _lt("Impossible Yield"),
    'clock_off': _lt("Wrong Clock"),
    'gateway_lost': _lt("Gateway Lost"),
    'device_offline': _lt("Device Offline"),
    'integration': _lt("Connection with Odoo"),
    'milked_dry': _lt("Dry Cow Milked"),
    'milked_not_in_herd': _lt("Milked, not in the Herd"),
    'milked_male': _lt("Male Animal Milked"),
    'milked_in_two_stalls': _lt("Milked in Two Stalls"),
}
# What is held against limits, with its unit behind a value.
MEASURED = {
    'high_scc': (_lt("Somatic cell count"), '/mL'),
    'abnormal_conductivity': (_lt("Milk conductivity"), ' mS/cm'),
    'abnormal_milk_temperature': (_lt("Milk temperature"), ' °C'),
    'blood_in_milk': (_lt("Blood in milk"), ' %'),
    'yield_limit': (_lt("Yield"), ' kg'),
}
UNITS = {'devices': _lt("devices"), 'cells/mL': _lt("cells/mL")}
QUOTA = _lt("This device has raised as many alerts as it may in an hour: no more are told until the next one.")
MOST_DECIMALS = 3
# As the screens show these.
DECIMALS = {' kg': 1, ' mS/cm': 2, ' °C': 1, '/mL': 0, ' %': 1}


def label(env, kind):
    """Name of a type in the user's language."""
    if name := LABELS.get(kind):
        return env._(name)
    return kind.replace('_', ' ').capitalize().replace('scc', 'SCC')


def number(env, value, most=MOST_DECIMALS):
    """``value`` as people write it: grouped, with as many decimals as it has, ``most`` at most."""
    decimals = len(f'{value:.{most}f}'.rstrip('0').partition('.')[2])
    return formatLang(env, value, digits=decimals)


def measured(env, value, unit):
    """``value`` with its unit, or False when it is none."""
    if value is False:
        return False
    name = UNITS.get(unit)
    return f"{number(env, value)} {env._(name) if name else unit or ''}".strip()


def parameters(text):
    """The object in ``text``, a JSON object of texts; None when it is something else."""
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        return None
    is_plain = isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
    return values if is_plain else None


def text(env, alert, values):
    """What ``alert`` says in the language of ``env``, or None when its type has no text here or lacks what that takes."""
    kind = alert.alert_type
    if kind in MEASURED:
        said = _measured(env, alert)
    else:
        said = TEXTS[kind](env, alert, values) if kind in TEXTS else None
    if said and values.get('quota') == 'last':
        said = f'{said} {env._(QUOTA)}'
    return said


def _measured(env, alert):
    value, limit = alert.trigger_value, alert.threshold_value
    if value is False or limit is False:
        return None
    name, suffix = MEASURED[alert.alert_type]
    most = DECIMALS.get(suffix, MOST_DECIMALS)
    if round(value, most) == limit:
        # It is beyond the limit, be it by a hair.
        most = MOST_DECIMALS
    shown = {'name': env._(name), 'value': number(env, value, most) + suffix, 'limit': number(env, limit) + suffix}
    if value > limit:
        return env._("%(name)s %(value)s is above %(limit)s", **shown)
    return env._("%(name)s %(value)s is below %(limit)s", **shown)


def _yield(env, alert, values):
    try:
        expected = float(values['expected'])
    except (KeyError, ValueError):
        return None
    if alert.trigger_value is False:
        return None
    return env._("Yield %(value)s kg; %(expected)s kg were expected",
                 value=number(env, alert.trigger_value, DECIMALS[' kg']), expected=number(env, expected, DECIMALS[' kg']))


def _impossible_yield(env, alert, _values):
    if alert.trigger_value is False or alert.threshold_value is False:
        return None
    return env._("Yield %(value)s kg cannot be: an animal gives at most %(limit)s kg in one milking. Look at the meter.",
                 value=number(env, alert.trigger_value, DECIMALS[' kg']), limit=number(env, alert.threshold_value))


def _clock(env, alert, values):
    seconds, device = alert.trigger_value, alert.device_id.device_uid
    if seconds is False or not device or 'effect' not in values:
        return None
    shown = {'device': device, 'span': _span(env, abs(seconds))}
    if values['effect'] == 'stored_older':
        return env._("The clock of %(device)s is %(span)s behind: it answered a command before it was asked. What it says is stored as so "
                     "much older than it is. Set its clock.", **shown)
    if seconds < 0:
        return env._("The clock of %(device)s is %(span)s ahead: what it says counts at its arrival, marked. Set its clock.", **shown)
    return env._("The clock of %(device)s is %(span)s behind: what it says counts at its arrival, marked. Set its clock.", **shown)


def _span(env, seconds):
    if seconds < 7_200:
        return env._("%s minutes", number(env, round(seconds / 60)))
    if seconds < 172_800:
        return env._("%s hours", number(env, round(seconds / 3_600)))
    days = round(seconds / 86_400)
    return env._("more than a century") if days > 36_500 else env._("%s days", number(env, days))


def _gateway(env, alert, values):
    if not alert.device_id or alert.trigger_value is False:
        return None
    shown = {'device': alert.device_id.device_uid, 'count': number(env, alert.trigger_value)}
    if reason := values.get('reason'):
        return env._("Gateway %(device)s is lost: %(reason)s. Devices behind it that cannot be reached: %(count)s", reason=reason, **shown)
    return env._("Gateway %(device)s is lost. Devices behind it that cannot be reached: %(count)s", **shown)


def _device(env, alert, values):
    if not alert.device_id:
        return None
    if reason := values.get('reason'):
        return env._("Device %(device)s is offline: %(reason)s", device=alert.device_id.device_uid, reason=reason)
    return env._("Device %s is offline", alert.device_id.device_uid)


def _integration(env, _alert, values):
    subject = values.get('subject')
    if values.get('over'):
        return env._("The API key for Odoo was renewed") if subject == 'api-key' else env._("Odoo takes records again")
    if not subject or not values.get('reason'):
        return None
    if subject == 'api-key':
        return env._("The API key for Odoo: %s", values['reason'])
    return env._("Odoo does not take the connector's records: %s", values['reason'])


def _milked_dry(env, alert, values):
    animal = alert.animal_id.display_name or values.get('animal')
    return animal and env._("%s is dry and was milked: keep the milk out of the tank, it may hold residues.", animal)


def _milked_gone(env, _alert, values):
    animal = values.get('animal')
    return animal and env._("The tag of %s was read, who has left the herd: who was milked?", animal)


def _milked_male(env, _alert, values):
    animal = values.get('animal')
    return animal and env._("The tag of %s was read, who is male: who was milked?", animal)


def _two_stalls(env, alert, values):
    animal = alert.animal_id.display_name or values.get('animal')
    if not animal or not values.get('stall') or not values.get('other'):
        return None
    return env._("%(animal)s was milked at stall %(stall)s and at stall %(other)s at the same time: one of the two is another animal's milking.",
                 animal=animal, stall=values['stall'], other=values['other'])


TEXTS = {
    'abnormal_yield': _yield, 'impossible_yield': _impossible_yield, 'milked_in_two_stalls': _two_stalls, 'clock_off': _clock, 'gateway_lost': _gateway, 'device_offline': _device,
    'integration': _integration, 'milked_dry': _milked_dry, 'milked_not_in_herd': _milked_gone, 'milked_male': _milked_male,
}
