"""Lists of texts: `["a", "b"]` as JSON or Python writes them, or `a; b`. Nothing is evaluated."""

import re
from collections.abc import Iterator, Sequence

from portal.tabular.cells import CellError
from portal.tabular.converters.picks import Choices
from portal.tabular.converters.words import Texts
from portal.tabular.fields import Field

MOST_ITEMS = 1000
_QUOTED = r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'"
_ITEM = re.compile(rf"\s*+[uU]?({_QUOTED})\s*+(,\s*+\]|[,\]])", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|(.))",
    re.DOTALL,
)
_SHORT = dict.fromkeys("\n", "") | {sign: sign for sign in "\\/\"'"}
_SHORT |= {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_NO_LIST = "Invalid value: write a list as a; b; c or as ['a', 'b', 'c']"
_MANY = f"Invalid value: a list may have {MOST_ITEMS} entries at most"


class Lists:
    """Each entry obeys the field's length and, where it has them, its choices."""

    strict = False

    def __init__(self, field: Field) -> None:
        self._entry: Texts | Choices = Choices(field) if field.choices else Texts(field)

    def one(self, text: str) -> tuple[str, ...]:
        """The entries that `text` lists, in its order; there is at least one."""
        entries = list(_literal(text)) if text.startswith("[") else _parted(text)
        if len(entries) > MOST_ITEMS:
            raise CellError(_MANY)
        if not entries:
            raise CellError(_NO_LIST)
        return tuple(map(self._entry.one, entries))

    def many(self, texts: Sequence[str]) -> Sequence[tuple[str, ...]]:
        """As `one`."""
        return list(map(self.one, texts))

    def odd(self, _texts: Sequence[str]) -> tuple[int, ...]:
        """None that one would see quickly."""
        return ()


def _parted(text: str) -> list[str]:
    return [entry for part in text.split(";") if (entry := part.strip())]


def _literal(text: str) -> Iterator[str]:
    """The quoted texts of a bracketed list, one after the other; no nesting, no other kinds."""
    position, ended = 1, False
    while not ended:
        found = _ITEM.match(text, position)
        if not found:
            raise CellError(_NO_LIST)
        yield _unescaped(found[1][1:-1])
        position, ended = found.end(), found[2].endswith("]")
    if position != len(text):
        raise CellError(_NO_LIST)


def _unescaped(quoted: str) -> str:
    return _ESCAPE.sub(_character, quoted) if "\\" in quoted else quoted


def _character(found: re.Match[str]) -> str:
    high, low, *codes, sign = found.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
    code = next(filter(None, codes), None)
    if code is None:
        return _SHORT.get(sign, found[0])
    if int(code, 16) > 0x10FFFF:
        raise CellError(_NO_LIST)
    return chr(int(code, 16))
