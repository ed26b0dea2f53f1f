"""The files of the bench of imports: ten mixed columns, clean, or with one row in a hundred bad."""

import csv
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import xlsxwriter

from bench.batch import make_row

BAD_EVERY = 100
TOWNS = 1000
HEADER = ("number", "name", "price", "day", "street", "active", "email", "town", "note", "code")
NUMBER, NAME, PRICE, DAY, ACTIVE, TOWN, CODE = 0, 1, 2, 3, 5, 7, 9
# A column and what stands in it; the cell of NUMBER is that of an earlier, good row.
BAD = (
    (PRICE, "1,5"),
    (DAY, "31/12/2025"),
    (ACTIVE, "perhaps"),
    (CODE, "far too long"),
    (NAME, ""),
    (TOWN, str(TOWNS + 1)),
    (NUMBER, ""),
)
EARLIER = 7


def write_clean(target: Path, *, rows: int) -> None:
    """Rows that the table takes, all of them."""
    _write(target, good_rows(rows))


def write_bad(target: Path, *, rows: int, duplicates: bool = True) -> None:
    """The same, and in each hundred one that the table refuses, of all kinds in turn."""
    _write(target, _with_bad(rows, BAD if duplicates else BAD[:-1]))


def write_old(target: Path, *, rows: int) -> None:
    """Every other row, as it was before: with another price, street and note."""
    _write(target, (_older(row) for row in good_rows(rows) if int(row[NUMBER]) % 2))


def write_sheet(target: Path, *, rows: int) -> None:
    """The clean rows as a spreadsheet, with numbers, dates and truths of its own."""
    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        for number, row in enumerate(good_rows(rows), start=1):
            sheet.write_row(number, 0, row)
            sheet.write_number(number, NUMBER, int(row[NUMBER]))
            sheet.write_number(number, PRICE, float(row[PRICE]))
            sheet.write_datetime(number, DAY, date.fromisoformat(row[DAY]), day)
            sheet.write_boolean(number, ACTIVE, row[ACTIVE] in ("1", "true"))
            sheet.write_number(number, TOWN, int(row[TOWN]))


def bad_rows(rows: int) -> int:
    """How many rows of a file with so many rows are bad."""
    return (rows + BAD_EVERY // 2 - 1) // BAD_EVERY


def good_rows(rows: int) -> Iterator[list[str]]:
    """The same rows every time."""
    source = random.Random(7)
    for number in range(rows):
        row = make_row(source, number)
        row[TOWN] = str(source.randint(1, TOWNS))
        yield row


def _with_bad(rows: int, kinds: tuple[tuple[int, str], ...]) -> Iterator[list[str]]:
    for number, row in enumerate(good_rows(rows)):
        if number % BAD_EVERY == BAD_EVERY // 2:
            place, cell = kinds[number // BAD_EVERY % len(kinds)]
            row[place] = str(number - EARLIER) if place == NUMBER else cell
        yield row


def _older(row: list[str]) -> list[str]:
    return [*row[:PRICE], "0.01", row[DAY], "an older street", *row[5:8], "older", row[CODE]]


def _write(target: Path, rows: Iterator[list[str]]) -> None:
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(rows)
