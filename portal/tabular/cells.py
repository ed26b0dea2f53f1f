"""What is wrong with one cell."""

_SHOWN = 60


class CellError(ValueError):
    """A cell is not what its field allows; the message tells a clerk what would be."""

    @property
    def message(self) -> str:
        """The text for the cell, without a full stop, for texts are joined."""
        return str(self.args[0])

    def bare(self) -> "CellError":
        """The same to be kept: one that was raised holds on to all rows that were at hand then."""
        return CellError(*self.args)


def shown(text: str) -> str:
    """`text` in quotes, as messages name it; a long one is cut."""
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"
