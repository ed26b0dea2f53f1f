"""What a converter promises."""

from collections.abc import Sequence
from typing import Protocol

from portal.tabular.fields import Value


class CellError(ValueError):
    """A cell is not what its field allows; the message tells a clerk what would be."""

    @property
    def message(self) -> str:
        """The text for the cell, without a full stop, for texts are joined."""
        return str(self.args[0])


class Converter(Protocol):
    """Makes values of texts that are stripped and neither empty nor markers."""

    def one(self, text: str) -> Value:
        """The value of `text`; raise CellError where it has none."""
        ...

    def many(self, texts: Sequence[str]) -> Sequence[Value]:
        """The values of all `texts`, as `one` gives them, but fast.

        Raise ValueError, LookupError or ArithmeticError where any of them needs a closer look:
        `one` decides then. It may be asked for texts that have no value, never for none.
        """
        ...
