# Electronic animal identification by ISO 11784/11785, as 15 decimal digits.
import re

# 38 bits carry the national part of the code.
MAX_NATIONAL_ID = 274_877_906_943


def normalize_rfid(value):
    """``value`` without blanks, dots and hyphens between the digits; False when there is nothing left."""
    return re.sub(r'[\s.\-]', '', value or '') or False


def rfid_problem(tag):
    """What is wrong with ``tag`` in a sentence a person can act on, or None when it is a valid code."""
    if not re.fullmatch(r'[0-9]{15}', tag):
        return "it must have exactly 15 digits (3 for country or manufacturer, 12 for the animal)."
    if tag[:3] == '000':
        return "000 is not a country or manufacturer code. Bangladesh is 050, manufacturers are 900 to 998."
    if int(tag[3:]) > MAX_NATIONAL_ID:
        return f"the last 12 digits cannot be more than {MAX_NATIONAL_ID}."
    return None
