# Whether meters drift, by what the tank held each time it was emptied. No Odoo here.
from statistics import median

# A collection is off when the meters differ by more than this from the tank, in per cent; meters may be 2 % off by ICAR.
OFF_PERCENT = 3
# So many in a row, all to the same side, are no leftovers, spilling or milk that was kept back.
IN_A_ROW = 3
# A meter is suspect when it shows so many per cent more or less of the expected yields than the others.
SUSPECT_PERCENT = 5
LEAST_MILKINGS = 20


def is_drift(deviations):
    """Whether the latest ``deviations``, in per cent and oldest first, show a drift; None stands for one that is not known."""
    last = deviations[-IN_A_ROW:]
    if len(last) < IN_A_ROW or any(deviation is None or abs(deviation) <= OFF_PERCENT for deviation in last):
        return False
    return len({deviation > 0 for deviation in last}) == 1


def suspects(meters):
    """The keys in ``meters``, ``{key: (share of the expected yields that it shows, milkings)}``, that stand out; all where none does."""
    known = {key: share for key, (share, milkings) in meters.items() if share and milkings >= LEAST_MILKINGS}
    if len(known) < 3:
        return list(meters)
    usual = median(known.values())
    return [key for key, share in known.items() if abs(share / usual - 1) * 100 > SUSPECT_PERCENT] or list(meters)
