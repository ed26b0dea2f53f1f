"""The rows of an XLSX sheet. ECMA-376 part 1, 18.3.1."""

from collections.abc import Iterator, Mapping
from typing import IO

from portal.tabular.sheets import values
from portal.tabular.sheets.book import SheetRow
from portal.tabular.sheets.errors import ROWS_AT_MOST, damaged, too_long, too_wide
from portal.tabular.sheets.package import PIECE, local, new_parser
from portal.tabular.sheets.values import Kind

_DIGITS = "0123456789"
_LETTERS_AT_MOST = 4


class RowParser:
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
        self._next = 0
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
        self._next = 0

    def _end_cell(self) -> None:
        """Place the cell's text; one without any only moves the place of the next."""
        reference = self._cell.get("r")
        column = self._next if reference is None else self._index(reference)
        self._next = column + 1
        if not self._pieces:
            return
        if column >= self._columns:
            raise too_wide(self._row, reference or f"{column + 1:,}", self._columns)
        missing = column + 1 - len(self._cells)
        if missing > 0:
            self._cells.extend([""] * missing)
        self._cells[column] = self._text(column)

    def _index(self, reference: str) -> int:
        """Return the number, from 0, of the column that a reference such as B7 names."""
        letters = reference.rstrip(_DIGITS)
        found = self._indices.get(letters)
        return self._new_index(letters) if found is None else found

    def _new_index(self, letters: str) -> int:
        column = 0
        for letter in letters[:_LETTERS_AT_MOST].upper():
            column = column * 26 + ord(letter) - 64
        if column <= 0:
            raise damaged(f"row {self._row} has a cell without a place")
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
