"""The form of an XLSX sheet's rows, as a regular expression that takes a whole row. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from portal.tabular.sheets.xml_text import NO_CHARACTER

Cells = Sequence[str | None]
Found = list[Sequence[str | None]]
_AT_ONCE = 512
_ROW_END = "</row>"
_ROW = r'(?:(?<=</row>)|\A)<row r="([0-9]{1,7})"([^<>/]*+)>'
_FORMULA_TEXT = f"(?:[^<&{NO_CHARACTER}]|&(?:amp|lt|gt|quot|apos);)*+"
_FORMULA = rf'(?:<f(?: (?:t|ref|si|ca)="[^"<>&/]*+")*+(?:/>|>{_FORMULA_TEXT}</f>))?+'
_VALUE = "<v>([^<]*+)</v>"
_TEXT = '<is><t(?: xml:space="preserve")?+>([^<]*+)</t></is>'
_ANY = rf'(?:<c r="%s[0-9]{{1,7}}"([^<>/]*+)(?:/>|>{_FORMULA}(?:{_VALUE}|{_TEXT})?+</c>))?+'


@dataclass(frozen=True, kw_only=True)
class Alike:
    """What all cells of a column have: the same attributes, and a value or else a text."""

    tag: str
    is_text: bool


@dataclass(frozen=True, kw_only=True)
class Column:
    """Some cells of a column: their attributes but the first, and what stands in them."""

    tags: Cells
    raw: Cells
    alike: Alike | None


@dataclass(frozen=True)
class Form:
    """How the cells of each column are written; None for a column where anything may be."""

    columns: tuple[Alike | None, ...]

    def found(self, text: str, start: int) -> tuple[Found, int]:
        """Return the groups of the rows from `start` on that have this form, and their end."""
        if None not in self.columns and (all_rows := self._all_rows(text, start)):
            return all_rows, len(text)
        found: Found = []
        match = self._pattern.match
        while len(found) < _AT_ONCE and (row := match(text, start)):
            found.append(row.groups())
            start = row.end()
        return found, start

    def _all_rows(self, text: str, start: int) -> Found:
        """Return the groups of all rows, or nothing where not all have this form.

        There are as many as ends of rows, and each begins where one has ended: so nothing is
        between them. (Where a cell may be missing, `findall` does not tell it from an empty one.)
        """
        found = self._pattern.findall(text, start)
        whole = text.endswith(_ROW_END) and len(found) == text.count(_ROW_END, start)
        return found if whole else []

    def split(self, groups: Sequence[Cells]) -> Iterator[Column]:
        """Yield the columns that the groups of all rows but the first two hold."""
        rest = iter(groups)
        for alike in self.columns:
            if alike:
                raw = next(rest)
                yield Column(tags=(alike.tag,) * len(raw), raw=raw, alike=alike)
            else:
                yield _any_column(next(rest), next(rest), next(rest))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        cells = (_cell(alike, _letters(n)) for n, alike in enumerate(self.columns))
        return re.compile(f"{_ROW}{''.join(cells)}{_ROW_END}")


def _cell(alike: Alike | None, letters: str) -> str:
    """A cell of this column; one that is like all others is known to the last letter."""
    if alike is None:
        return _ANY % letters
    held = _TEXT if alike.is_text else _VALUE
    return rf'<c r="{letters}\1"{re.escape(alike.tag)}>{held}</c>'


def _any_column(tags: Cells, values: Cells, texts: Cells) -> Column:
    """Each cell has a value, or a text, or neither."""
    is_text, is_value = None not in texts, None not in values
    if is_text or is_value:
        one = tags[0] if tags.count(tags[0]) == len(tags) else None
        alike = None if one is None else Alike(tag=one, is_text=is_text)
        return Column(tags=tags, raw=texts if is_text else values, alike=alike)
    raw = [one or other for one, other in zip(values, texts, strict=True)]
    return Column(tags=tags, raw=raw, alike=None)


def _letters(number: int) -> str:
    """The name of a column, counted from 0: A to Z, AA and so on."""
    letters = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(65 + place) + letters
    return letters
