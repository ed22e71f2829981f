# Which animal a milking probably was, by how much it gave. No Odoo here.

# So near to what an animal gives it may be hers, in per cent of it; and so near it cannot be said that it is not.
NEAR, DOUBTFUL = 20, 40


def distance(kg, expected):
    """How far ``kg`` is from ``expected``, in per cent."""
    return 100 * abs(kg - expected) / expected


def likeliest(kg, expected, others=()):
    """The key in ``expected``, ``{key: kg or None}``, that ``kg`` is of; None where two could be, or where nothing is known of one.

    ``others`` are amounts that nobody has been found for either: whoever could have given one of them is not certain.
    """
    if not kg or any(not usual for usual in expected.values()):
        return None
    possible = [key for key, usual in expected.items() if distance(kg, usual) <= DOUBTFUL]
    if len(possible) != 1:
        return None
    [key] = possible
    if distance(kg, expected[key]) > NEAR or any(other and distance(other, expected[key]) <= DOUBTFUL for other in others):
        return None
    return key
