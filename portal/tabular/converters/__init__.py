"""One converter for each type of field."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from portal.tabular.converters.base import Converter
from portal.tabular.converters.lists import Lists
from portal.tabular.converters.moments import Dates, Datetimes
from portal.tabular.converters.numbers import Decimals, Integers
from portal.tabular.converters.picks import Booleans, Choices
from portal.tabular.converters.words import Emails, Phones, References, Texts
from portal.tabular.fields import Field, FieldType

_CONVERTERS: Final = MappingProxyType[FieldType, Callable[[Field], Converter]](
    {
        FieldType.TEXT: Texts,
        FieldType.INTEGER: Integers,
        FieldType.DECIMAL: Decimals,
        FieldType.BOOLEAN: Booleans,
        FieldType.DATE: Dates,
        FieldType.DATETIME: Datetimes,
        FieldType.CHOICE: Choices,
        FieldType.LIST: Lists,
        FieldType.EMAIL: Emails,
        FieldType.PHONE: Phones,
        FieldType.REFERENCE: References,
    }
)


def converter_for(field: Field) -> Converter:
    """The converter of the type of `field`, with its limits."""
    return _CONVERTERS[field.type](field)
