"""Telling the 8-bit encodings apart: in the right one, words look like words of some language."""

import re
from collections import Counter
from functools import cache, lru_cache
from itertools import islice
from typing import TypeAlias

from portal.tabular.alphabets import AFTER, ASIDE, INSIDE_WORDS, LATIN, OTHER, PUNCTUATION

CODECS = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "cp1255",
    "cp1256",
    "iso8859-2",
    "iso8859-15",
    "iso8859-1",
    "koi8-r",
    "koi8-u",
    "cp866",
    "cp850",
    "cp852",
    "iso8859-5",
    "mac-roman",
)
_MOST = 4_000  # bytes beyond ASCII that are looked at
_BETWEEN_NEIGHBOURS = re.compile(rb"(?=(.[\x80-\xff].))", re.DOTALL)
_LESS_COMMON = 0.004  # what a later place in CODECS costs
_LANGUAGES = (*LATIN, *OTHER)
_FOREIGN = -0.5  # a letter that the language does not have
_IMPOSSIBLE = -9.0
Seen: TypeAlias = Counter[bytes]


def eight_bit_guesses(head: bytes) -> list[tuple[str, float, str]]:
    """Return (codec, confidence, language) of each that can be, the likeliest first; never empty.

    Only the first few thousand bytes beyond ASCII are judged, each with its two neighbours.
    """
    found = islice(_BETWEEN_NEIGHBOURS.finditer(b"\n" + head + b"\n"), _MOST)
    seen = Counter(one.group(1) for one in found)
    judged = []
    for place, codec in enumerate(CODECS):
        score, language = _judge(seen, codec)
        judged.append((score - place * _LESS_COMMON, codec, language))
    judged.sort(key=lambda one: -one[0])
    best, first, _ = judged[0]
    second = next((one[0] for one in judged if _differ(seen, first, one[1])), best - 2)
    return [
        (codec, _confidence(score, best, second), language)
        for score, codec, language in judged
        if score > best - 1 or codec in ("cp1252", "iso8859-1")
    ]


def _confidence(score: float, best: float, second: float) -> float:
    if score < best:
        return max(0.05, min(0.5, 0.5 - (best - score) / 2))
    return max(0.1, min(0.95, 0.5 + max(best, 0.0) / 4 + (best - second) / 2))


def _differ(seen: Seen, codec: str, other: str) -> bool:
    """Tell whether the bytes that were seen are different characters in the two."""
    ours, theirs = _characters(codec), _characters(other)
    return any(ours[three[1]] != theirs[three[1]] for three in seen)


@cache
def _characters(codec: str) -> tuple[str, ...]:
    """What each byte stands for; nothing where it stands for none."""
    return tuple(bytes([byte]).decode(codec, "ignore") for byte in range(256))


@cache
def _kinds(codec: str) -> tuple[str, ...]:
    """What each byte is: `a`, `A` an ASCII letter, `l`, `u` another, `.` no letter."""
    return tuple(_kind(char) for char in _characters(codec))


def _kind(char: str) -> str:
    if not char.isalpha():
        return "."
    if char.isascii():
        return "A" if char.isupper() else "a"
    return "u" if char.isupper() else "l"


def _judge(seen: Seen, codec: str) -> tuple[float, str]:
    """How like words of a language the text is in `codec`: 1 is fully so; and which language."""
    characters, kinds = _characters(codec), _kinds(codec)
    total, scores = 0.0, [0.0] * len(_LANGUAGES)
    for (before, byte, after), count in seen.items():
        char, where = characters[byte], kinds[before] + kinds[after]
        if not char:
            return _IMPOSSIBLE, ""
        if char.isalpha():
            total += _FOREIGN * count
            for place, worth in _letter(char, where):
                scores[place] += worth * count
        else:
            total += _sign(char, where) * count
    best = max(scores)
    language = _LANGUAGES[scores.index(best)] if best > 0 else ""
    return (total + best) / (seen.total() or 1), language


@cache
def _weights(language: str) -> dict[str, float]:
    letters = LATIN.get(language) or OTHER[language]
    return {char: 1.0 - 0.6 * place / len(letters) for place, char in enumerate(letters)}


@lru_cache(maxsize=4096)
def _letter(char: str, where: str) -> tuple[tuple[int, float], ...]:
    """In which languages there is such a letter, and how much better than none it is in each."""
    lower = char.lower()
    return tuple(
        (place, _letter_of(language, char, where, _weights(language)[lower]) - _FOREIGN)
        for place, language in enumerate(_LANGUAGES)
        if lower in _weights(language)
    )


def _letter_of(language: str, char: str, where: str, weight: float) -> float:
    """How plausible a letter of the language is between such neighbours."""
    if char.isupper() and where[0] in "al":
        return _FOREIGN
    if language in OTHER:
        return -1.0 if {"a", "A"} & set(where) else weight
    return weight * (0.6 if {"l", "u"} & set(where) else 1.0)


def _sign(char: str, where: str) -> float:
    """How plausible what is no letter is between such neighbours."""
    if char not in PUNCTUATION:
        return -2.0 if char < "\xa0" else -1.0
    if "." not in where:
        return 0.3 if char in INSIDE_WORDS else -1.0
    if char in ASIDE:
        return 0.6
    return 0.3 if where == ".." or (char in AFTER and where[1] == ".") else -0.5
