# The range of a value, for people and for checks. No Odoo here.


def range_text(low, high, unit):
    """Such as ``0 – 5 kg``; empty without limits and unit. A side without a limit is …"""
    span = ' – '.join('…' if bound is None else f'{bound:g}' for bound in (low, high)) if (low, high) != (None, None) else ''
    return ' '.join(filter(None, (span, unit)))


def is_within(value, low, high):
    """Whether ``value`` is a number from ``low`` to ``high``. Without limits everything is."""
    if low is None and high is None:
        return True
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and (low is None or value >= low) and (high is None or value <= high)
