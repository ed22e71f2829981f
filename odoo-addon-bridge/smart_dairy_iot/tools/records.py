# Checks the plain JSON records of upsert_batch against the fields of a model. No database access.
import math
import re
from datetime import datetime
from difflib import get_close_matches

DATETIME_PATTERN = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d')
INT4_MIN, INT4_MAX = -2**31, 2**31 - 1


def _shown(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '...'


def text(value):
    """A text; numbers are taken as text because a stall or an ear tag is often sent as one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not a text")
    if '\x00' in value:
        raise ValueError(f"{_shown(value)} contains a NUL character, which the database cannot store")
    return value


def integer(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or value in (math.inf, -math.inf):
        raise ValueError(f"{_shown(value)} is not a whole number")
    if value != int(value):
        raise ValueError(f"{_shown(value)} is not a whole number")
    if not INT4_MIN <= value <= INT4_MAX:
        raise ValueError(f"{_shown(value)} is out of range, use {INT4_MIN} to {INT4_MAX}")
    return int(value)


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{_shown(value)} is not a finite number")
    return float(value)


def boolean(value):
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is not true or false")
    return value


def moment(value):
    try:
        if isinstance(value, str) and DATETIME_PATTERN.fullmatch(value):
            return datetime.fromisoformat(value)  # naive, meaning UTC, as everywhere in Odoo
        problem = None
    except ValueError as error:
        problem = error
    raise ValueError(f"{_shown(value)} is not a UTC time written as YYYY-MM-DD HH:MM:SS") from problem


def choice(values):
    """A check that lets only ``values`` pass."""
    allowed = frozenset(values)
    listed = ', '.join(values)

    def check(value):
        if not isinstance(value, str) or value not in allowed:
            near = get_close_matches(str(value), values, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ''
            raise ValueError(f"{_shown(value)} is not allowed, use one of {listed}{hint}")
        return value

    return check


CHECKS = {'char': text, 'text': text, 'integer': integer, 'float': number, 'boolean': boolean, 'datetime': moment}


def check_for(field, env):
    """The check for values of an Odoo ``field``."""
    if field.type == 'selection':
        return choice(field.get_values(env))
    return CHECKS[field.type]


def parse(record, checks, required):
    """``(values, problems)``: the non-null values of ``record`` by key, and what is wrong with it, one text a key."""
    if not isinstance(record, dict):
        return {}, [f"a record must be an object, got {_shown(record)}"]
    values, problems = {}, []
    for key, value in record.items():
        check = checks.get(key)
        if check is None:
            near = get_close_matches(str(key), checks, n=1, cutoff=0.6)
            problems.append(f"{key}: unknown key" + (f", did you mean {near[0]}?" if near else ''))
        elif value is not None:
            try:
                values[key] = check(value)
            except ValueError as error:
                problems.append(f"{key}: {error}")
    problems += [
        f"{key}: is required" for key in required
        if values.get(key) in (None, '') and not any(p.startswith(f"{key}: ") for p in problems)
    ]
    return values, problems
