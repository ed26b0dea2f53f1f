"""Numbers in addresses: none is larger than a database can hold, so none is an error there."""

from collections.abc import Mapping

from werkzeug.routing import IntegerConverter, ValidationError

LARGEST = 2**63 - 1
DIGITS = 6  # of columns, of which no file has a million


def number(text: str) -> int:
    """The number that `text` writes; raises ValueError, also where it is too large for a row."""
    value = int(text)
    if abs(value) > LARGEST:
        raise ValueError("the number is too large")
    return value


def numbered(given: Mapping[str, str], prefix: str) -> dict[int, str]:
    """The values whose names are `prefix` with the number of a column behind it, by that number."""
    names = {name: name.removeprefix(prefix) for name in given if name.startswith(prefix)}
    return {
        int(digits): given[name]
        for name, digits in names.items()
        if digits.isascii() and digits.isdigit() and len(digits) <= DIGITS
    }


class NumberConverter(IntegerConverter):
    """`<int:…>` of routes; the address of a number that is too large leads nowhere."""

    def to_python(self, value: str) -> int:
        """The number in the address; raises ValidationError where no row can have it."""
        found: int = super().to_python(value)
        if found > LARGEST:
            raise ValidationError
        return found
