"""What is wrong with one cell."""


class CellError(ValueError):
    """A cell is not what its field allows; the message tells a clerk what would be."""

    @property
    def message(self) -> str:
        """The text for the cell, without a full stop, for texts are joined."""
        return str(self.args[0])
