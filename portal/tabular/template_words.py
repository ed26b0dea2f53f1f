"""What a template says about a field: the note on its header, the format of its column. Pure."""

from types import MappingProxyType
from typing import Final

from portal.tabular.fields import Empty, Field, FieldType

TEXT_FORMAT: Final = "@"
NUMBER_FORMATS: Final = MappingProxyType(
    {
        FieldType.INTEGER: "0",
        FieldType.DECIMAL: "General",
        FieldType.DATE: "yyyy-mm-dd",
        FieldType.DATETIME: "yyyy-mm-dd hh:mm:ss",
    }
)
_TYPES: Final = MappingProxyType(
    {
        FieldType.TEXT: "Text",
        FieldType.INTEGER: "Whole number",
        FieldType.DECIMAL: "Number",
        FieldType.BOOLEAN: "true or false",
        FieldType.DATE: "Date, such as 2024-02-29",
        FieldType.DATETIME: "Date and time, such as 2024-02-29 13:30:00",
        FieldType.CHOICE: "One of the choices",
        FieldType.LIST: "List",
        FieldType.EMAIL: "E-mail address",
        FieldType.PHONE: "Telephone number",
        FieldType.REFERENCE: "Name or id of another record",
    }
)
_EMPTY: Final = MappingProxyType(
    {
        Empty.KEEP: "An empty cell leaves the value alone.",
        Empty.CLEAR: "An empty cell clears the value.",
        Empty.DEFAULT: "An empty cell puts the default.",
    }
)
_CHOICES_SHOWN = 20


def note(field: Field) -> str:
    """Return the lines that tell how to fill in the field's column."""
    lines = [field.title, field.help, "Required." if field.required else "May be left out."]
    lines += [f"{title_of_type(field)}.", _choices(field), _EMPTY[field.empty]]
    return "\n".join(line for line in lines if line)


def title_of_type(field: Field) -> str:
    """Return what the field takes, with its bounds."""
    words = _TYPES[field.type]
    if field.max_length:
        words += f", at most {field.max_length:,} characters"
    if field.minimum is not None:
        words += f", at least {field.minimum:,}"
    if field.maximum is not None:
        words += f", at most {field.maximum:,}"
    if field.scale is not None:
        words += f", up to {field.scale} decimal places"
    return words


def _choices(field: Field) -> str:
    shown = [
        f"{choice.value} ({choice.label})"
        if choice.label not in ("", choice.value)
        else choice.value
        for choice in field.choices[:_CHOICES_SHOWN]
    ]
    if not shown:
        return ""
    more = len(field.choices) - len(shown)
    return "Choices: " + ", ".join(shown) + (f", and {more:,} more." if more else ".")
