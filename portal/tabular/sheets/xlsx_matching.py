"""The forms in which programs write the rows and texts of an XLSX workbook, matched in one go."""

import re
from collections.abc import Sequence
from operator import lt

from portal.tabular.sheets.book import SheetRow
from portal.tabular.sheets.errors import ROWS_AT_MOST
from portal.tabular.sheets.values import unescaped
from portal.tabular.sheets.xlsx_columns import Columns, attributes_of
from portal.tabular.sheets.xlsx_rows import RowParser
from portal.tabular.sheets.xml_text import NO_CHARACTER, UnusualError, plain_texts

_AT_ONCE = 512
_WIDEST = 256
_PATTERNS_AT_MOST = 16
_TAGS_AT_MOST = 4_096
_PARTS = 3
_ROW = r'<row r="([0-9]{1,7})"([^<>/]*+)>'
_FORMULA_TEXT = f"(?:[^<&{NO_CHARACTER}]|&(?:amp|lt|gt|quot|apos);)*+"
_FORMULA = rf'(?:<f(?: (?:t|ref|si|ca)="[^"<>&/]*+")*+(?:/>|>{_FORMULA_TEXT}</f>))?+'
_HELD = r'(?:<v>([^<]*+)</v>|<is><t(?: xml:space="preserve")?+>([^<]*+)</t></is>)?+'
_CELL = rf'(?:<c r="%s[0-9]{{1,7}}"([^<>/]*+)(?:/>|>{_FORMULA}{_HELD}</c>))?+'
_TEXTS = re.compile(r'(?:<si><t(?: xml:space="preserve")?+>[^<]*+</t></si>)*+')
_TEXT = re.compile(r">([^<]*+)</t>")


class RowMatcher:
    """Knows rows whose cells have a place, stand in order, and hold a text, a number or nothing.

    How wide they are it learns from the rows that `parser` meets.
    """

    def __init__(self, parser: RowParser, columns: Columns) -> None:
        self._parser = parser
        self._columns = columns
        self._width = 0
        self._patterns = 0
        self._pattern = re.compile("(?!)")
        self._tags: set[str] = set()

    def take(self, text: str, start: int) -> tuple[list[SheetRow] | None, int]:
        """See `stretches.Matcher`."""
        self._widen()
        found, end = self._found(text, start)
        if not found:
            return None, start
        try:
            rows = self._rows(found)
        except (ValueError, LookupError):
            return None, end
        self._parser.row = rows[-1][0]
        return rows, end

    def _widen(self) -> None:
        """Take notice of a row that was wider than all before."""
        width = min(self._parser.width, _WIDEST)
        if width > self._width and self._patterns < _PATTERNS_AT_MOST:
            cells = (_CELL % _letters(number) for number in range(width))
            self._pattern = re.compile(f"{_ROW}{''.join(cells)}</row>")
            self._width = width
            self._patterns += 1

    def _found(self, text: str, start: int) -> tuple[list[Sequence[str | None]], int]:
        """What the groups of the pattern hold for each row that matches, and where these end."""
        found: list[Sequence[str | None]] = []
        match = self._pattern.match
        while len(found) < _AT_ONCE and (row := match(text, start)):
            found.append(row.groups())
            start = row.end()
        return found, start

    def _rows(self, found: list[Sequence[str | None]]) -> list[SheetRow]:
        numbers, tags, *cells = zip(*found, strict=True)
        lines = self._lines(numbers)
        self._check(set(tags))
        texts = [
            self._columns.texts(cells[n], _either(cells[n + 1], cells[n + 2]))
            for n in range(0, len(cells), _PARTS)
        ]
        return list(zip(lines, map(list, zip(*texts, strict=True)), strict=True))

    def _lines(self, numbers: Sequence[str]) -> list[int]:
        lines = list(map(int, numbers))
        ascending = all(map(lt, [self._parser.row, *lines], lines))
        if not ascending or lines[-1] > ROWS_AT_MOST:
            raise UnusualError
        return lines

    def _check(self, tags: set[str]) -> None:
        """Raise UnusualError where a row's other attributes are none."""
        for tag in tags - self._tags:
            attributes_of(f'row r="1"{tag}')
            if len(self._tags) >= _TAGS_AT_MOST:
                self._tags.clear()
            self._tags.add(tag)


class TextMatcher:
    """Knows shared texts whose letters are all of one form."""

    def take(self, text: str, start: int) -> tuple[list[str] | None, int]:
        """See `stretches.Matcher`."""
        found = _TEXTS.match(text, start)
        end = found.end() if found else start
        if end == start:
            return None, start
        try:
            return list(map(unescaped, plain_texts(_TEXT.findall(text, start, end)))), end
        except UnusualError:
            return None, end


def _either(values: Sequence[str | None], texts: Sequence[str | None]) -> Sequence[str | None]:
    """Of each cell its value or its own text: it has one of them, or none."""
    nothing = len(values)
    if texts.count(None) == nothing:
        return values
    if values.count(None) == nothing:
        return texts
    return [one or other for one, other in zip(values, texts, strict=True)]


def _letters(number: int) -> str:
    """The name of a column, counted from 0: A to Z, AA and so on."""
    letters = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(65 + place) + letters
    return letters
