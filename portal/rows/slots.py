"""Which rows of a file may have the same name as one before, in 32 MB for a file of any size.

Each name is kept in the first free one of a few slots that its hash leads to: the row that had it
last and a part of the hash. A name that is in none of them, while one is free, is new for
certain; any other has to be looked for. That is none of a few million different names, and every
one once the slots are full.

Numbers that go up by one from row to row have slots side by side, which are filled at once.
"""

from array import array
from collections.abc import Hashable, Iterable, Sequence
from operator import sub
from typing import cast

BITS = 22
REACH = 32  # so many slots from its own on may a name be in
_CHECK = (1 << 32) - 1
_SPREAD = 0x9E3779B1  # odd, and as good as random
_STEP = (1 << 32) + 1  # from the slot of a row to that of the next, where its number is the next
_MOST_ODD = 20  # one in so many numbers may be out of order


class Slots:
    """Names that were met, for one run of a batch."""

    def __init__(self, bits: int = BITS) -> None:
        self._bits = bits
        self._slots = array("Q", bytes(8 * ((1 << bits) + REACH)))

    def doubtful(self, names: Sequence[Hashable], rows: Sequence[int]) -> dict[int, int]:
        """Note `names` of `rows`; the places of those that may have been met before.

        With each the row that probably has the same name, 0 where that is not known.
        """
        return self._one_by_one(names, rows, self._but_those_in_turn(names, rows))

    def _one_by_one(
        self, names: Sequence[Hashable], rows: Sequence[int], places: Iterable[int]
    ) -> dict[int, int]:
        slots, bits, found = self._slots, self._bits, {}
        mask = (1 << bits) - 1
        for place in places:
            code, row = hash(names[place]), rows[place]
            high = code >> bits
            slot, check = code + high & mask, code + high * _SPREAD & _CHECK
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

    def _but_those_in_turn(self, names: Sequence[Hashable], rows: Sequence[int]) -> Sequence[int]:
        """Note names that are as far apart as their rows; the places of all the others."""
        everyone = range(len(names))
        first, last = names[0], names[-1]
        if type(first) is not int or type(last) is not int:
            return everyone
        numbers = cast(Sequence[int], names)  # TypeError tells of any that is none
        try:
            apart = list(map(sub, numbers, rows))
        except TypeError:
            return everyone
        if apart[-1] != apart[0] or apart.count(apart[0]) < len(apart) - len(apart) // _MOST_ODD:
            return everyone
        odd = [place for place in everyone if apart[place] != apart[0]]
        ahead = any(apart[0] < apart[place] and numbers[place] <= last for place in odd)
        if ahead or not self._take(first, last, rows[0]):
            return everyone
        left_out = set(range(rows[0], rows[-1])).difference(rows)
        self._free(first, (row - rows[0] for row in (*left_out, *map(rows.__getitem__, odd))))
        return odd

    def _take(self, first: int, last: int, row: int) -> bool:
        """Fill the slots of numbers that follow each other, if they are free and side by side."""
        bits, count = self._bits, last - first + 1
        if first < 0 or first >> bits != last >> bits or last > _CHECK:
            return False
        high = first >> bits
        slot, check = self._slot(first), first + high * _SPREAD & _CHECK
        if slot + count > 1 << bits or check + count > _CHECK:
            return False
        there = self._slots[slot : slot + count]
        if there.count(0) < count:
            return False
        begin = row << 32 | check
        self._slots[slot : slot + count] = array("Q", range(begin, begin + count * _STEP, _STEP))
        return True

    def _free(self, first: int, places: Iterable[int]) -> None:
        """Empty those slots again that belong to no row."""
        for place in places:
            self._slots[self._slot(first) + place] = 0

    def _slot(self, code: int) -> int:
        return code + (code >> self._bits) & (1 << self._bits) - 1

    def _next(self, slot: int, check: int) -> int:
        """The slot in reach that has the name, else the first free one, else the last."""
        slots = self._slots
        for at in range(slot, slot + REACH):
            last = slots[at]
            if not last or last & _CHECK == check:
                return at
        return slot + REACH - 1
