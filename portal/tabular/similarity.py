"""How alike two folded names are, for many names at once and in bounded time."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from heapq import nsmallest

LEAST = 0.75
_LETTERS = 40
_CANDIDATES = 3
_COMMON = 100
_NUMBERS = re.compile(r"[0-9]+")


def likenesses(
    words: Mapping[int, str], targets: Sequence[tuple[str, int]]
) -> Iterator[tuple[int, int, float]]:
    """Yield (word's key, target's number, likeness) for likely pairs, likeness from `LEAST` to 1.

    `targets` are (name, number). Names that differ in a figure, as `date1` and `date2`, are not
    alike. Only the few targets that share most pairs of letters with a word are compared closely;
    pairs that very many targets have tell nothing and are left out.
    """
    names = [name[:_LETTERS] for name, _ in targets]
    holders = _by_pair(names)
    for key, whole in words.items():
        word = whole[:_LETTERS]
        for place in _nearest(word, names, holders):
            likeness = _likeness(word, names[place])
            if likeness >= LEAST:
                yield key, targets[place][1], likeness


def _by_pair(names: Sequence[str]) -> Mapping[str, list[int]]:
    holders = defaultdict(list)
    for place, name in enumerate(names):
        for pair in _pairs(name):
            holders[pair].append(place)
    return {pair: places for pair, places in holders.items() if len(places) <= _COMMON}


def _pairs(word: str) -> set[str]:
    return {word[place : place + 2] for place in range(len(word) - 1)}


def _nearest(word: str, names: Sequence[str], holders: Mapping[str, list[int]]) -> list[int]:
    shared = Counter[int]()
    for pair in _pairs(word):
        shared.update(holders.get(pair, ()))
    length = len(word)
    return nsmallest(
        _CANDIDATES,
        shared,
        key=lambda place: (-shared[place] / (length + len(names[place])), place),
    )


def _likeness(word: str, name: str) -> float:
    if _NUMBERS.findall(word) != _NUMBERS.findall(name):
        return 0.0
    return SequenceMatcher(None, word, name, autojunk=False).ratio()
