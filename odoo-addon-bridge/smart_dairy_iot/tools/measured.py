# Number fields that know the difference between "measured as 0" and "not measured".
from odoo import fields


class MeasuredMixin:
    """Keeps no value as NULL, which averages skip and screens leave blank, where Odoo's own numbers would store 0."""

    falsy_value = None

    def convert_to_column(self, value, record, values=None, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_column(value, record, values, validate)

    def convert_to_cache(self, value, record, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return '' if value is None or value is False else value


class MeasuredFloat(MeasuredMixin, fields.Float):
    pass


class MeasuredInteger(MeasuredMixin, fields.Integer):
    pass
