"""Rows of a batch as a download: written to a file of its own, then sent."""

import tempfile
from collections.abc import Callable, Iterator
from typing import IO

from sqlalchemy.orm import Session

from portal.files import CHUNK
from portal.rows.batch import Batch
from portal.rows.books import Books
from portal.rows.results import write_failed, write_kept

IN_MEMORY = 2_000_000


def stream_failed(books: Books, batch: Batch) -> Iterator[bytes]:
    """The failing rows; see `results.write_failed`."""

    def write(session: Session, stream: IO[bytes]) -> None:
        write_failed(session, stream, tables=books.tables, batch=batch)

    return _sent(books, write)


def stream_kept(books: Books, batch: Batch) -> Iterator[bytes]:
    """What an undo had to keep; see `results.write_kept`."""

    def write(session: Session, stream: IO[bytes]) -> None:
        write_kept(session, stream, tables=books.tables, batch=batch)

    return _sent(books, write)


def _sent(books: Books, write: Callable[[Session, IO[bytes]], None]) -> Iterator[bytes]:
    """Written whole before the first byte goes, so that an error is no half file."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed when sent)
    with books.read() as session:
        write(session, file)
    file.seek(0)

    def chunks() -> Iterator[bytes]:
        with file:
            while chunk := file.read(CHUNK):
                yield chunk

    return chunks()
