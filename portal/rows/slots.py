"""Which rows of a file may have the same name as one before, in 32 MB for a file of any size.

Each name has one of four million slots, which keeps the row that was there last and a part of the
name's hash. A name whose slot is empty is new for certain; any other has to be looked for among
the records.
"""

from array import array
from collections.abc import Hashable, Iterable

BITS = 22
_CHECK = (1 << 32) - 1


class Slots:
    """Names that were met, for one run of a batch."""

    def __init__(self, bits: int = BITS) -> None:
        self._bits = bits
        self._slots = array("Q", bytes(8 << bits))

    def doubtful(self, names: Iterable[Hashable], rows: Iterable[int]) -> dict[int, int]:
        """Note `names` of `rows`; the places of those that may have been met before.

        With each the row that probably has the same name, 0 where that is not known.
        """
        slots, bits, found = self._slots, self._bits, {}
        mask = (1 << bits) - 1
        for place, (name, row) in enumerate(zip(names, rows, strict=True)):
            code = hash(name)
            slot, check = code & mask, (code >> bits) & _CHECK
            last = slots[slot]
            if last:
                found[place] = last >> 32 if last & _CHECK == check else 0
            slots[slot] = row << 32 | check
        return found
