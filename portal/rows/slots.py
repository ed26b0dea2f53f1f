"""Which rows of a file may have the same name as one before, in 32 MB for a file of any size.

Each name is kept in the first free one of a few slots that its hash leads to: the row that had it
last and a part of the hash. A name that is in none of them, while one is free, is new for
certain; any other has to be looked for. That is none of a few million different names, and every
one once the slots are full.
"""

from array import array
from collections.abc import Hashable, Iterable

BITS = 22
REACH = 32  # so many slots from its own on may a name be in
_CHECK = (1 << 32) - 1


class Slots:
    """Names that were met, for one run of a batch."""

    def __init__(self, bits: int = BITS) -> None:
        self._bits = bits
        self._slots = array("Q", bytes(8 * ((1 << bits) + REACH)))

    def doubtful(self, names: Iterable[Hashable], rows: Iterable[int]) -> dict[int, int]:
        """Note `names` of `rows`; the places of those that may have been met before.

        With each the row that probably has the same name, 0 where that is not known.
        """
        slots, bits, found = self._slots, self._bits, {}
        mask = (1 << bits) - 1
        for place, (name, row) in enumerate(zip(names, rows, strict=True)):
            code = hash(name)
            slot, check = code & mask, (code ^ code >> bits) & _CHECK
            if slots[slot]:
                slot = self._next(slot, check)
                last = slots[slot]
                if last and last & _CHECK != check:
                    found[place] = 0
                    continue
                if last:
                    found[place] = last >> 32
            slots[slot] = row << 32 | check
        return found

    def _next(self, slot: int, check: int) -> int:
        """The slot in reach that has the name, else the first free one, else the last."""
        slots = self._slots
        for at in range(slot, slot + REACH):
            last = slots[at]
            if not last or last & _CHECK == check:
                return at
        return slot + REACH - 1
