"""The stored file of a batch: checked against its hash, read and converted in portions."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import compress, islice
from operator import itemgetter
from typing import TypeVar

from portal.errors import ConflictError
from portal.files import CHUNK
from portal.rows.batch import BatchOrder
from portal.rows.fates import Prepared
from portal.tabular.conversion import Conversion, RowErrors
from portal.tabular.fields import Values
from portal.tabular.opening import open_stored
from portal.tabular.reading import count, open_table
from portal.tabular.table import Row, Table

AT_ONCE = 500
Item = TypeVar("Item")
_CELLS = itemgetter(2)


class SourceChangedError(ConflictError):
    """The stored file is gone or is not the one that the batch was ordered for."""


def check_source(order: BatchOrder, *, checkpoint: Callable[[], None]) -> None:
    """Raise SourceChangedError where the file is not what was ordered."""
    digest = hashlib.sha256()
    try:
        with open_stored(order.file) as stream:
            while chunk := stream.read(CHUNK):
                checkpoint()
                digest.update(chunk)
    except FileNotFoundError:
        raise SourceChangedError(f"The stored copy of {order.file_name} is gone.") from None
    if digest.hexdigest() != order.sha256:
        raise SourceChangedError(f"The stored copy of {order.file_name} was changed meanwhile.")


@contextmanager
def open_source(order: BatchOrder) -> Iterator[Table]:
    """The file as a table; raises TableError where it is none."""
    with open_table(order.file, order.format) as table:
        yield table


def count_rows(order: BatchOrder, *, checkpoint: Callable[[], None]) -> int:
    """How many data rows the file has, blank ones included."""
    total = 0
    with closing(count(order.file, order.format)) as counts:
        for counted in counts:
            checkpoint()
            total = counted
    return total


def portions(items: Iterator[Item], *, size: int) -> Iterator[list[Item]]:
    """`items` in lists of at most `size`."""
    while portion := list(islice(items, size)):
        yield portion


def rows_from(table: Table, first: int) -> Iterator[Row]:
    """The rows of `table` from row `first` on."""
    return islice(table.rows, first - 1, None)


def prepared(rows: Iterator[Row], conversion: Conversion, *, at_once: int) -> Iterator[Prepared]:
    """`rows` converted, as many at a time as is quick and small."""
    for portion in portions(rows, size=at_once):
        yield from prepare(portion, conversion)


def prepare(rows: Sequence[Row], conversion: Conversion) -> list[Prepared]:
    """`rows` converted; blank ones, and a template's own help row, have no values nor errors."""
    cells = list(map(_CELLS, rows))
    if rows and rows[0][0] == 1 and conversion.is_help_row(cells[0]):
        return [Prepared(*rows[0], None, None, is_help=True), *prepare(rows[1:], conversion)]
    full = list(map(is_full, cells))
    converted = iter(conversion.convert_many(list(compress(cells, full))))
    return [
        _prepared(row, next(converted)) if said else Prepared(*row, None, None)
        for row, said in zip(rows, full, strict=True)
    ]


def is_full(cells: Sequence[str]) -> bool:
    """Whether a row says anything at all."""
    text = "".join(cells)
    return bool(text) and not text.isspace()


def _prepared(row: Row, converted: Values | RowErrors) -> Prepared:
    if isinstance(converted, RowErrors):
        return Prepared(*row, None, converted.errors)
    return Prepared(*row, converted, None)
