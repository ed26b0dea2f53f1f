"""The rows of an XLSX sheet, however they are written. ECMA-376 part 1, 18.3.1."""

from collections.abc import Mapping

from portal.tabular.sheets import values
from portal.tabular.sheets.book import SheetRow
from portal.tabular.sheets.errors import ROWS_AT_MOST, damaged, too_long, too_wide
from portal.tabular.sheets.package import local
from portal.tabular.sheets.stretches import Parser
from portal.tabular.sheets.values import Kind

_DIGITS = "0123456789"
_LETTERS_AT_MOST = 4


class RowParser(Parser[SheetRow]):
    """Turns the XML of a sheet into rows while it streams by: those that hold anything.

    `row` is the last one that was met, `width` how many cells the widest had. Its handlers run for
    every cell, so they look at the commonest first and call little.
    """

    def __init__(
        self, texts: list[str], kinds: Mapping[str | None, Kind], *, from_1904: bool, columns: int
    ) -> None:
        super().__init__("row")
        self.row = 0
        self.width = 0
        self._texts = texts
        self._kinds = kinds
        self._from_1904 = from_1904
        self._columns = columns
        self._cells: list[str] = []
        self._next = 0
        self._cell: Mapping[str, str] = {}
        self._pieces: list[str] = []
        self._indices: dict[str, int] = {}
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._name_elements("")

    def _name_elements(self, prefix: str) -> None:
        self._c, self._v, self._t = (prefix + name for name in ("c", "v", "t"))
        self._row_name, self._aid = prefix + "row", prefix + "rPh"

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == self._c:
            self._cell = attributes
        elif tag in (self._v, self._t):
            self._parser.CharacterDataHandler = self._pieces.append
        elif tag == self._row_name:
            self._begin_row(attributes.get("r"))
        elif tag == self._aid:
            self._parser.StartElementHandler = None
        elif local(tag) == "worksheet":
            self._name_elements(tag.removesuffix("worksheet"))

    def _end(self, tag: str) -> None:
        if tag in (self._v, self._t):
            self._parser.CharacterDataHandler = None
        elif tag == self._c:
            self._end_cell()
        elif tag == self._row_name:
            self._end_row()
        elif tag == self._aid:
            self._parser.StartElementHandler = self._start

    def _begin_row(self, number: str | None) -> None:
        row = int(number) if number and number.isdecimal() else self.row + 1
        if row > ROWS_AT_MOST:
            raise too_long()
        if row <= self.row:
            raise damaged(f"row {row} comes after row {self.row}")
        self.row = row
        self._cells = []
        self._next = 0

    def _end_row(self) -> None:
        self.item_ended()
        if self._cells:
            self.done.append((self.row, self._cells))
            self.width = max(self.width, len(self._cells))

    def _end_cell(self) -> None:
        """Place the cell's text; one without any only moves the place of the next."""
        reference = self._cell.get("r")
        column = self._next
        if reference is not None:
            letters = reference.rstrip(_DIGITS)
            known = self._indices.get(letters)
            column = self._new_index(letters) if known is None else known
        self._next = column + 1
        if self._pieces:
            self._place(column)

    def _place(self, column: int) -> None:
        if column >= self._columns:
            name = self._cell.get("r", f"{column + 1:,}")
            raise too_wide(self.row, name, self._columns)
        raw = "".join(self._pieces)
        self._pieces.clear()
        missing = column - len(self._cells)
        if missing == 0:
            self._cells.append(self._text(raw, column))
            return
        if missing > 0:
            self._cells.extend([""] * (missing + 1))
        self._cells[column] = self._text(raw, column)

    def _new_index(self, letters: str) -> int:
        """Return the number, from 0, of the column that has these letters."""
        column = 0
        for letter in letters[:_LETTERS_AT_MOST].upper():
            column = column * 26 + ord(letter) - 64
        if column <= 0:
            raise damaged(f"row {self.row} has a cell without a place")
        self._indices[letters] = column - 1
        return column - 1

    def _text(self, raw: str, column: int) -> str:
        kind = self._cell.get("t", "n")
        try:
            if kind == "n":
                return self._number(raw)
            if kind == "s":
                return self._texts[_index(raw)]
        except (ValueError, LookupError) as error:
            raise damaged(f"row {self.row}, column {column + 1}") from error
        if kind == "b":
            return values.boolean_text(raw)
        return values.iso_moment_text(raw) if kind == "d" else values.unescaped(raw)

    def _number(self, raw: str) -> str:
        kind = self._kinds[self._cell.get("s")]
        if kind is Kind.NUMBER:
            return values.number_text(raw)
        return values.serial_text(raw, kind, from_1904=self._from_1904)


def _index(raw: str) -> int:
    index = int(raw)
    if index < 0:
        raise IndexError(raw)
    return index
