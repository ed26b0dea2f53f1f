"""ODS, row by row: nothing of a table is held but the row at hand. OpenDocument 1.3, part 3."""

import re
from collections.abc import Iterator, Mapping
from typing import IO
from xml.parsers import expat

from portal.tabular.sheets import values
from portal.tabular.sheets.book import Sheet, SheetRow
from portal.tabular.sheets.errors import ROWS_AT_MOST, damaged, locked, too_long, too_wide
from portal.tabular.sheets.package import PIECE, Package, new_parser

_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"
_SPACES_AT_MOST = 32_767
_ERROR = re.compile(r"(?:#[A-Z][A-Z0-9/]*[!?]?|Err:[0-9]+)\Z")
_CELLS = ("table:table-cell", "table:covered-table-cell")
_ASIDE = ("office:annotation", "draw:frame", "draw:custom-shape", "table:table")


class Workbook:
    """An ODS workbook; raises TableError where it is none, or locked by a password."""

    def __init__(self, package: Package) -> None:
        if package.has(_MANIFEST):
            package.parse(_MANIFEST, _refuse_encrypted)
        self._package = package
        self.sheets = self._find_sheets()

    def rows(self, sheet: Sheet, *, columns: int) -> Iterator[list[SheetRow]]:
        """See `Book.rows`."""
        with self._package.open(_CONTENT) as stream:
            yield from _RowParser(sheet.place, columns=columns).rows(stream)

    def _find_sheets(self) -> list[Sheet]:
        finder = _Finder()
        with self._package.open(_CONTENT) as stream:
            parser = new_parser()
            parser.StartElementHandler = finder.start
            parser.EndElementHandler = finder.end
            while piece := stream.read(PIECE):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        return finder.found


def _refuse_encrypted(parser: expat.XMLParserType) -> None:
    def start(tag: str, _attributes: Mapping[str, str]) -> None:
        if tag.endswith("encryption-data"):
            raise locked()

    parser.StartElementHandler = start


class _Finder:
    """Finds the tables, those inside of cells left aside, and the styles that hide some."""

    def __init__(self) -> None:
        self.found: list[Sheet] = []
        self._hidden: set[str] = set()
        self._style = ""
        self._depth = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties":
            if attributes.get("table:display") == "false":
                self._hidden.add(self._style)
        elif tag == "table:table":
            self._depth += 1
            if self._depth == 1:
                self._add(attributes)

    def end(self, tag: str) -> None:
        self._depth -= tag == "table:table"

    def _add(self, attributes: Mapping[str, str]) -> None:
        visible = attributes.get("table:style-name") not in self._hidden
        name = attributes.get("table:name", "")
        self.found.append(Sheet(name=name, place=len(self.found), visible=visible))


class _RowParser:
    """Turns the XML of one table into rows while it streams by."""

    def __init__(self, place: int, *, columns: int) -> None:
        self._place = place
        self._columns = columns
        self._done: list[SheetRow] = []
        self._tables = 0
        self._depth = 0
        self._aside = 0
        self._row = 0
        self._repeat = 1
        self._width = 0
        self._cells: list[str] = []
        self._cell: Mapping[str, str] = {}
        self._pieces: list[str] = []
        self._paragraphs: list[str] = []
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def rows(self, stream: IO[bytes]) -> Iterator[list[SheetRow]]:
        while piece := stream.read(PIECE):
            self._parser.Parse(piece, False)
            yield self._taken()
        self._parser.Parse(b"", True)
        yield self._taken()

    def _taken(self) -> list[SheetRow]:
        done, self._done = self._done, []
        return done

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if not self._depth:
            if tag == "table:table":
                self._depth = 1
                self._tables += 1
        elif self._tables != self._place + 1 or self._aside or tag in _ASIDE:
            self._depth += tag == "table:table"
            self._aside += tag in _ASIDE
        elif tag in _CELLS:
            self._cell = attributes
            self._paragraphs = []
        elif tag == "table:table-row":
            self._begin_row(attributes)
        else:
            self._start_text(tag, attributes)

    def _start_text(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "text:p":
            self._pieces.clear()
            self._parser.CharacterDataHandler = self._pieces.append
        elif tag == "text:s":
            count = _count(attributes.get("text:c"))
            self._pieces.append(" " * min(count, _SPACES_AT_MOST))
        elif tag == "text:tab":
            self._pieces.append("\t")
        elif tag == "text:line-break":
            self._pieces.append("\n")

    def _end(self, tag: str) -> None:
        if tag == "table:table":
            self._depth -= 1
        if self._aside:
            self._aside -= tag in _ASIDE
        elif not self._depth or self._tables != self._place + 1:
            return
        elif tag == "text:p":
            self._parser.CharacterDataHandler = None
            self._paragraphs.append("".join(self._pieces))
        elif tag in _CELLS:
            self._end_cell()
        elif tag == "table:table-row":
            self._end_row()

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        self._repeat = _count(attributes.get("table:number-rows-repeated"))
        self._width = 0
        self._cells = []

    def _end_row(self) -> None:
        if any(self._cells):
            if self._row + self._repeat > ROWS_AT_MOST:
                raise too_long()
            self._done += [(self._row + 1 + n, self._cells) for n in range(self._repeat)]
        self._row += self._repeat

    def _end_cell(self) -> None:
        repeat = _count(self._cell.get("table:number-columns-repeated"))
        if text := self._text():
            if self._width + repeat > self._columns:
                raise too_wide(self._row + 1, f"{self._width + repeat:,}", self._columns)
            self._cells.extend([""] * (self._width - len(self._cells)))
            self._cells.extend([text] * repeat)
        self._width += repeat

    def _text(self) -> str:
        kind = self._cell.get("office:value-type", "")
        shown = "\n".join(self._paragraphs)
        if kind in ("", "string"):
            return shown or self._cell.get("office:string-value", "")
        if _ERROR.match(shown):
            return shown
        try:
            return self._value(kind, shown)
        except ValueError as error:
            raise damaged(f"row {self._row + 1}, column {self._width + 1}") from error

    def _value(self, kind: str, shown: str) -> str:
        if kind in ("float", "percentage", "currency"):
            return values.number_text(self._cell.get("office:value", ""))
        if kind == "date":
            return values.iso_moment_text(self._cell.get("office:date-value", ""))
        if kind == "time":
            return values.iso_duration_text(self._cell.get("office:time-value", ""))
        if kind == "boolean":
            return values.boolean_text(self._cell.get("office:boolean-value", ""))
        return shown


def _count(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 1
