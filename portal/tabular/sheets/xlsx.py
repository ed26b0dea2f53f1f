"""XLSX, row by row: nothing of a sheet is held but the row at hand. ECMA-376 part 1, chapter 18."""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO
from xml.parsers import expat

from portal.tabular.sheets import values
from portal.tabular.sheets.book import Sheet, SheetRow
from portal.tabular.sheets.errors import ROWS_AT_MOST, damaged, too_long, too_wide
from portal.tabular.sheets.package import PIECE, Package, local, new_parser
from portal.tabular.sheets.values import Kind

_DATES = (*range(14, 18), 22, *range(27, 32), 36, *range(50, 59))
_TIMES = (18, 19, 20, 21, 32, 33, 34, 35, 45, 47)
_ELAPSED = 46
_DIGITS = "0123456789"


class Workbook:
    """An XLSX workbook; raises TableError where it is none."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._part = _main_part(package)
        self._from_1904 = False
        self.sheets = self._find_sheets()

    def rows(self, sheet: Sheet, *, columns: int) -> Iterator[SheetRow]:
        """See `Book.rows`."""
        related = _related(self._package, self._part)
        texts = self._read_texts(related)
        kinds = self._read_kinds(related)
        parser = _RowParser(texts, kinds, from_1904=self._from_1904, columns=columns)
        with self._package.open(sheet.part) as stream:
            yield from parser.rows(stream)

    def _find_sheets(self) -> list[Sheet]:
        related = {r.id: r for r in _related(self._package, self._part)}
        sheets: list[Sheet] = []

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if local(tag) == "workbookPr":
                self._from_1904 = attributes.get("date1904") in ("1", "true")
            elif local(tag) == "sheet":
                relation = next((v for k, v in attributes.items() if local(k) == "id"), "")
                target = related.get(relation)
                if target is not None and target.kind == "worksheet":
                    name = values.unescaped(attributes.get("name", ""))
                    visible = attributes.get("state", "visible") == "visible"
                    place = len(sheets)
                    sheet = Sheet(name=name, visible=visible, place=place, part=target.part)
                    sheets.append(sheet)

        self._package.parse(self._part, _on_start(start))
        return sheets

    def _read_texts(self, related: list["_Related"]) -> list[str]:
        part = next((r.part for r in related if r.kind == "sharedStrings"), "")
        texts = _Texts()
        if part and self._package.has(part):
            self._package.parse(part, texts.listen)
        return texts.found

    def _read_kinds(self, related: list["_Related"]) -> list[Kind]:
        part = next((r.part for r in related if r.kind == "styles"), "")
        styles = _Styles()
        if part and self._package.has(part):
            self._package.parse(part, _on_start(styles.start))
        return [styles.kind(number) for number in styles.formats] or [Kind.NUMBER]


@dataclass(frozen=True, kw_only=True)
class _Related:
    id: str
    kind: str
    part: str


def _main_part(package: Package) -> str:
    part = next((r.part for r in _related(package, "") if r.kind == "officeDocument"), "")
    if not part:
        raise damaged("it names no workbook")
    return part


def _related(package: Package, part: str) -> list[_Related]:
    folder, name = posixpath.split(part)
    found: list[_Related] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.join("/", folder, attributes.get("Target", "").replace("\\", "/"))
            kind = posixpath.basename(attributes.get("Type", ""))
            path = posixpath.normpath(target).lstrip("/")
            found.append(_Related(id=attributes.get("Id", ""), kind=kind, part=path))

    package.parse(posixpath.join(folder, "_rels", f"{name}.rels"), _on_start(start))
    return found


def _on_start(
    handler: Callable[[str, Mapping[str, str]], None],
) -> Callable[[expat.XMLParserType], None]:
    def prepare(parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = handler

    return prepare


class _Styles:
    """Which kind of number each cell style shows."""

    def __init__(self) -> None:
        self.formats: list[int] = []
        self._codes: dict[int, str] = {}
        self._inside = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = local(tag)
        if name == "numFmt":
            self._codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
        elif name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self._inside = name == "cellXfs"
        elif name == "xf" and self._inside:
            self.formats.append(int(attributes.get("numFmtId", 0)))

    def kind(self, number: int) -> Kind:
        if number in self._codes:
            return values.kind_of_format(self._codes[number])
        if number == _ELAPSED:
            return Kind.DURATION
        if number in _TIMES:
            return Kind.TIME
        return Kind.DATE if number in _DATES else Kind.NUMBER


class _Texts:
    """The shared texts; a reading aid (`rPh`) beside a text is no part of it."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._aside = False

    def listen(self, parser: expat.XMLParserType) -> None:
        def start(tag: str, _attributes: Mapping[str, str]) -> None:
            name = local(tag)
            if name == "t" and not self._aside:
                parser.CharacterDataHandler = self._pieces.append
            elif name == "rPh":
                self._aside = True

        def end(tag: str) -> None:
            name = local(tag)
            parser.CharacterDataHandler = None
            if name == "si":
                self.found.append(values.unescaped("".join(self._pieces)))
                self._pieces.clear()
            elif name == "rPh":
                self._aside = False

        parser.StartElementHandler = start
        parser.EndElementHandler = end


class _RowParser:
    """Turns the XML of a sheet into rows while it streams by."""

    def __init__(
        self, texts: list[str], kinds: list[Kind], *, from_1904: bool, columns: int
    ) -> None:
        self._texts = texts
        self._kinds = kinds
        self._from_1904 = from_1904
        self._columns = columns
        self._done: list[SheetRow] = []
        self._row = 0
        self._cells: list[str] = []
        self._cell: Mapping[str, str] = {}
        self._pieces: list[str] = []
        self._aside = False
        self._indices: dict[str, int] = {}
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._prefix = ""

    def rows(self, stream: IO[bytes]) -> Iterator[SheetRow]:
        while piece := stream.read(PIECE):
            self._parser.Parse(piece, False)
            yield from self._taken()
        self._parser.Parse(b"", True)
        yield from self._taken()

    def _taken(self) -> list[SheetRow]:
        done, self._done = self._done, []
        return done

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag[len(self._prefix) :] if self._prefix else tag
        if name == "c":
            self._cell = attributes
            self._pieces.clear()
        elif name == "v" or (name == "t" and not self._aside):
            self._parser.CharacterDataHandler = self._pieces.append
        elif name == "row":
            self._begin_row(attributes.get("r"))
        elif name == "rPh":
            self._aside = True
        elif local(tag) == "worksheet":
            self._prefix = tag.removesuffix("worksheet")

    def _end(self, tag: str) -> None:
        name = tag[len(self._prefix) :] if self._prefix else tag
        if name in ("v", "t"):
            self._parser.CharacterDataHandler = None
        elif name == "c":
            self._end_cell()
        elif name == "row":
            if any(self._cells):
                self._done.append((self._row, self._cells))
        elif name == "rPh":
            self._aside = False

    def _begin_row(self, number: str | None) -> None:
        row = int(number) if number and number.isdecimal() else self._row + 1
        if row > ROWS_AT_MOST:
            raise too_long()
        if row <= self._row:
            raise damaged(f"row {row} comes after row {self._row}")
        self._row = row
        self._cells = []

    def _end_cell(self) -> None:
        column = self._column()
        text = self._text(column) if self._pieces else ""
        if column < len(self._cells):
            self._cells[column] = text
            return
        if column > len(self._cells):
            self._cells.extend([""] * (column - len(self._cells)))
        self._cells.append(text)

    def _column(self) -> int:
        reference = self._cell.get("r")
        if reference is None:
            return len(self._cells)
        letters = reference.rstrip(_DIGITS)
        column = self._indices.get(letters)
        return self._new_column(letters) if column is None else column

    def _new_column(self, letters: str) -> int:
        column = 0
        for letter in letters[:4].upper():
            column = column * 26 + ord(letter) - 64
        if not 0 < column <= self._columns:
            raise too_wide(self._row, letters[:4], self._columns)
        self._indices[letters] = column - 1
        return column - 1

    def _text(self, column: int) -> str:
        raw = "".join(self._pieces)
        kind = self._cell.get("t", "n")
        try:
            if kind == "s":
                return self._texts[int(raw)]
            if kind == "n":
                return self._number(raw)
        except (ValueError, IndexError) as error:
            raise damaged(f"row {self._row}, column {column + 1}") from error
        if kind == "b":
            return values.boolean_text(raw)
        return values.iso_moment_text(raw) if kind == "d" else values.unescaped(raw)

    def _number(self, raw: str) -> str:
        kind = self._kinds[int(self._cell.get("s", 0))]
        if kind is Kind.NUMBER:
            return values.number_text(raw)
        return values.serial_text(raw, kind, from_1904=self._from_1904)
