"""The rows and texts of an XLSX workbook as programs write them, many matched in one go."""

import re
from collections.abc import Sequence
from operator import lt

from portal.tabular.sheets.book import SheetRow
from portal.tabular.sheets.errors import ROWS_AT_MOST
from portal.tabular.sheets.xlsx_columns import Columns, attributes_of, unescaped_texts
from portal.tabular.sheets.xlsx_form import Alike, Form, Found
from portal.tabular.sheets.xlsx_rows import RowParser
from portal.tabular.sheets.xml_text import UnusualError

_WIDEST = 256
_FORMS_AT_MOST = 24
_TAGS_AT_MOST = 4_096
_NO_ROWS = Form(())
_TEXTS = re.compile(r'(?:<si><t(?: xml:space="preserve")?+>[^<]*+</t></si>)*+')
_TEXT = re.compile(r">([^<]*+)</t>")


class RowMatcher:
    """Knows rows whose cells have a place, stand in order, and hold a text, a number or nothing.

    It learns from the rows that `parser` meets how wide they are, and from those that it matches
    in which columns all cells are alike: such are matched faster, as long as it is so.
    """

    def __init__(self, parser: RowParser, columns: Columns) -> None:
        self._parser = parser
        self._columns = columns
        self._any = self._close = _NO_ROWS
        self._forms_left = _FORMS_AT_MOST
        self._tags: set[str] = set()

    def take(self, text: str, start: int) -> tuple[list[SheetRow] | None, int]:
        """See `stretches.Matcher`."""
        self._widen()
        form = self._close
        found, end = form.found(text, start)
        if not found and form is not self._any:
            form = self._any
            found, end = form.found(text, start)
        if not found:
            return None, start
        try:
            return self._rows(found, form), end
        except (ValueError, LookupError):
            return None, end

    def _widen(self) -> None:
        """Take notice of a row that was wider than all before."""
        width = min(self._parser.width, _WIDEST)
        if width > len(self._any.columns) and self._forms_left:
            self._any = self._close = Form((None,) * width)
            self._forms_left -= 1

    def _rows(self, found: Found, form: Form) -> list[SheetRow]:
        numbers, tags, *cells = zip(*found, strict=True)
        lines = self._lines(numbers)
        self._check(set(tags))
        columns = list(form.split(cells))
        texts = [self._columns.texts(column) for column in columns]
        self._parser.row = lines[-1]
        if form is self._any:
            self._learn([column.alike for column in columns])
        return list(zip(lines, map(list, zip(*texts, strict=True)), strict=True))

    def _learn(self, seen: list[Alike | None]) -> None:
        """Know the columns by what they always were until now."""
        if self._close is not self._any:
            pairs = zip(seen, self._close.columns, strict=True)
            seen = [now if now == before else None for now, before in pairs]
        learned = Form(tuple(seen))
        if learned != self._close and self._forms_left:
            self._close = learned
            self._forms_left -= 1

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
            return list(unescaped_texts(_TEXT.findall(text, start, end))), end
        except UnusualError:
            return None, end
