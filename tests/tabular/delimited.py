"""Files of delimited text, made, found and read in one line."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from portal.tabular.formats import Finding, Format, find_format
from portal.tabular.reading import open_table
from portal.tabular.table import LIMITS, Limits, Row
from portal.tabular.writing import TableWriter


def stored(folder: Path, content: bytes | str, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def find(folder: Path, content: bytes | str, name: str = "x.csv") -> Finding:
    return find_format(stored(folder, content, name), name=name)


def read(
    path: Path, fmt: Format | None = None, *, limits: Limits = LIMITS, restore: bool = True
) -> tuple[list[str], list[Row]]:
    fmt = fmt or find_format(path, name=path.name).format
    with open_table(path, fmt, limits=limits, restore=restore) as table:
        return table.header, list(table.rows)


def read_text(folder: Path, content: bytes | str, **options: object) -> list[Row]:
    return read(stored(folder, content), **options)[1]  # type: ignore[arg-type]


def cells(rows: Iterable[Row]) -> list[list[str]]:
    return [row[2] for row in rows]


def written(rows: Iterable[Sequence[str]], fmt: Format, *, for_spreadsheets: bool = False) -> bytes:
    stream = io.BytesIO()
    TableWriter(stream, fmt, for_spreadsheets=for_spreadsheets).write_many(rows)
    return stream.getvalue()
