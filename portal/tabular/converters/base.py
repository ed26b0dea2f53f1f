"""What a converter promises."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from portal.tabular.fields import Value


class Converter(Protocol):
    """Makes values of texts that are stripped and neither empty nor markers.

    `many` of a `strict` converter refuses all other texts, so that nobody need look for them.
    """

    strict: bool

    def one(self, text: str) -> Value:
        """The value of `text`; raise CellError where it has none."""
        ...

    def many(self, texts: Sequence[str]) -> Sequence[Value]:
        """The values of all `texts`, as `one` gives them, but fast.

        Raise ValueError, LookupError or ArithmeticError where any of them needs a closer look:
        `one` decides then. It may be asked for texts that have no value, never for none.
        """
        ...

    def odd(self, texts: Sequence[str]) -> Iterable[int]:
        """The places of texts that `many` does not take, as far as one sees quickly."""
        ...
