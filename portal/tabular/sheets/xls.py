"""XLS by python-calamine, which reads the old binary workbooks whole, and what it leaves out."""

import io
from collections.abc import Iterator, Mapping
from datetime import time

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from portal.tabular.sheets import biff, values
from portal.tabular.sheets.book import Sheet, SheetRow
from portal.tabular.sheets.errors import damaged, locked, too_wide
from portal.tabular.sheets.values import Kind

_MIDNIGHT = time()


class Workbook:
    """An XLS workbook; raises TableError for one that is locked or broken."""

    def __init__(self, data: bytes, streams: Mapping[str, bytes]) -> None:
        self._stream = streams.get("Workbook") or streams.get("Book") or b""
        if biff.is_locked(self._stream):
            raise locked()
        try:
            self._workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        except PasswordError as error:
            raise locked() from error
        except CalamineError as error:
            raise damaged("its workbook") from error
        self.sheets = [
            Sheet(name=sheet.name, visible=sheet.visible == SheetVisibleEnum.Visible, place=place)
            for place, sheet in enumerate(self._workbook.sheets_metadata)
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def rows(self, sheet: Sheet, *, columns: int) -> Iterator[list[SheetRow]]:
        """See `Book.rows`; an XLS sheet has 256 columns at most."""
        notes = biff.notes_of(self._stream, sheet.place)
        try:
            for line, texts in self._rows(sheet.place, notes):
                if any(texts[columns:]):
                    raise too_wide(line, f"{len(texts):,}", columns)
                yield [(line, texts)]
        except (CalamineError, OverflowError) as error:
            raise damaged(f"sheet {sheet.name}") from error

    def _rows(self, place: int, notes: biff.Notes) -> Iterator[SheetRow]:
        sheet = self._workbook.get_sheet_by_index(place)
        left = sheet.start[1] if sheet.start else 0
        for line, cells in enumerate(sheet.iter_rows()):
            texts = [""] * left
            for column, value in enumerate(cells, start=left):
                texts.append(_text(value, (line, column), notes))
            if any(texts):
                yield line + 1, texts


def _text(value: object, position: tuple[int, int], notes: biff.Notes) -> str:
    """Return the text of a value: '' may be an error, and midnight a day before 1900."""
    if value == "":
        return notes.errors.get(position, "")
    if value == _MIDNIGHT and position in notes.negatives:
        return values.serial_text(repr(notes.negatives[position]), Kind.DATE)
    return values.value_text(value)
