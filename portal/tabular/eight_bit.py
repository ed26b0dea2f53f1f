"""Telling the 8-bit encodings apart: in the right one, words look like words of some language."""

import re
from collections import Counter
from functools import cache

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
_MOST = 2_000  # characters beyond ASCII that are looked at
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_CHAR = re.compile(r"[^\x00-\x7f]")
_LESS_COMMON = 0.004  # what a later place in CODECS costs
_IMPOSSIBLE = -9.0
Seen = Counter[tuple[str, str]]


def eight_bit_guesses(head: bytes) -> list[tuple[str, float, str]]:
    """Return (codec, confidence, language) of each that can be, the likeliest first; never empty.

    Only the neighbourhood of the first few thousand bytes beyond ASCII is judged.
    """
    sample = _first_high(head)
    judged = []
    for place, codec in enumerate(CODECS):
        text = _decoded(sample, codec)
        score, language = _judge(text)
        judged.append((score - place * _LESS_COMMON, codec, language, text))
    judged.sort(key=lambda one: -one[0])
    best, _, _, text = judged[0]
    second = next((score for score, _, _, other in judged if other != text), best - 2)
    return [
        (codec, _confidence(score, best, second), language)
        for score, codec, language, _ in judged
        if score > best - 1 or codec in ("cp1252", "iso8859-1")
    ]


def _confidence(score: float, best: float, second: float) -> float:
    if score < best:
        return max(0.05, min(0.5, 0.5 - (best - score) / 2))
    return max(0.1, min(0.95, 0.5 + max(best, 0.0) / 4 + (best - second) / 2))


def _first_high(head: bytes) -> bytes:
    """Cut `head` after as many bytes beyond ASCII as are looked at."""
    for count, found in enumerate(_HIGH.finditer(head)):
        if count == _MOST:
            return head[: found.start()]
    return head


def _decoded(sample: bytes, codec: str) -> str | None:
    try:
        return sample.decode(codec)
    except UnicodeDecodeError:
        return None


def _judge(text: str | None) -> tuple[float, str]:
    """How like words of a language `text` is: 1 is fully so; and which language."""
    if text is None:
        return _IMPOSSIBLE, ""
    seen: Seen = Counter()
    for found in _HIGH_CHAR.finditer(text):
        seen[found.group(), _neighbours(text, found.start())] += 1
    letters = {one: count for one, count in seen.items() if one[0].isalpha()}
    signs = sum(_sign(*one) * seen[one] for one in seen.keys() - letters.keys())
    scores = [
        (sum(_letter(*one, name) * count for one, count in letters.items()), name)
        for name in (*LATIN, *OTHER)
    ]
    score, language = max(scores, key=lambda one: one[0])
    return (signs + score) / (seen.total() or 1), language if score > 0 else ""


def _neighbours(text: str, at: int) -> str:
    """What stands before and after: `a`, `A` ASCII letters, `l`, `u` others, `.` no letter."""
    return _kind(text[at - 1 : at]) + _kind(text[at + 1 : at + 2])


def _kind(char: str) -> str:
    if not char.isalpha():
        return "."
    if char.isascii():
        return "A" if char.isupper() else "a"
    return "u" if char.isupper() else "l"


@cache
def _weights(language: str) -> dict[str, float]:
    letters = LATIN.get(language) or OTHER[language]
    return {char: 1.0 - 0.6 * place / len(letters) for place, char in enumerate(letters)}


def _letter(char: str, where: str, language: str) -> float:
    """How plausible a letter is between such neighbours in a text of `language`."""
    weight = _weights(language).get(char.lower())
    if weight is None:
        return -0.5
    if char.isupper() and where[0] in "al":
        return -0.5
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
