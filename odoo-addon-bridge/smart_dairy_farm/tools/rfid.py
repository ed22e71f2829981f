# Electronic animal identification by ISO 11784/11785, as 15 decimal digits.
import re

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

# 38 bits carry the national part of the code.
MAX_NATIONAL_ID = 274_877_906_943
# How people write a tag: digits in groups, held apart by blanks or hyphens, or by dots after every third digit.
GROUPED = re.compile(r'\d+(?:[\s-]+\d+)*', re.ASCII)
DOTTED = re.compile(r'\d{3}(?:\.\d{3})+', re.ASCII)
# What a spreadsheet makes of 15 digits when it takes them for a number.
DECIMAL = re.compile(r'\d+[.,]\d*', re.ASCII)
SCIENTIFIC = re.compile(r'\d+(?:[.,]\d*)?[eE][+-]?\d+', re.ASCII)
FORMAT_AS_TEXT = _lt("Format the column as text in the spreadsheet and enter the 15 digits of the tag again.")


def normalize_rfid(value):
    """``value`` without the marks that hold groups of digits apart; anything else stays as it is, for ``rfid_problem``.

    False when there is nothing. Never makes a valid tag of an invalid one: no digit is added, and none comes from what was
    no digit of the tag.
    """
    text = '' if value in (None, False) else str(value).strip()
    if GROUPED.fullmatch(text) or DOTTED.fullmatch(text):
        return re.sub(r'[\s.-]', '', text)
    return text or False


def rfid_problem(tag):
    """What is wrong with ``tag`` in a sentence a person can act on, or None when it is a valid code. Translated where it is shown."""
    if SCIENTIFIC.fullmatch(tag):
        return _lt("this is a number in scientific notation, its last digits are lost. %(advice)s", advice=FORMAT_AS_TEXT)
    if DECIMAL.fullmatch(tag):
        return _lt("this is a number with decimals, as a spreadsheet makes of a tag. %(advice)s", advice=FORMAT_AS_TEXT)
    if re.fullmatch(r'[0-9]{12,14}', tag):
        return _lt(
            "it must have exactly 15 digits, and has %(digits)s. A spreadsheet drops leading zeros; they are not guessed here. "
            "Look at the tag. %(advice)s", digits=len(tag), advice=FORMAT_AS_TEXT)
    if not re.fullmatch(r'[0-9]{15}', tag):
        return _lt("it must have exactly 15 digits (3 for country or manufacturer, 12 for the animal).")
    if tag[:3] == '000':
        return _lt("000 is not a country or manufacturer code. Bangladesh is 050, manufacturers are 900 to 998.")
    if int(tag[3:]) > MAX_NATIONAL_ID:
        return _lt("the last 12 digits cannot be more than %(most)s.", most=str(MAX_NATIONAL_ID))
    return None
