"""The backup of removed records: written, fsynced and read back before they go."""

import io
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from portal.files import fsync_folder
from portal.rows.processors import Record
from portal.tabular.canonical import text_of
from portal.tabular.fields import Field
from portal.tabular.formats import Format
from portal.tabular.markers import CLEAR
from portal.tabular.writing import TableWriter

DEL_DATE = "del_date"
FORMAT = Format(encoding="utf-8")


class BackupError(OSError):
    """What was read back is not what was written; nothing may be removed."""


class RemovedRecords:
    """Keeps removed records in one CSV file, whose columns are their fields and `del_date`.

    Processed in mode create, the file makes the same records again. As people look into it with
    spreadsheets, what one would compute is marked, and restored when the file is read.
    """

    def __init__(
        self, path: Path, fields: Sequence[Field], *, clock: Callable[[], datetime]
    ) -> None:
        self._path = path
        self._names = [field.name for field in fields]
        self._clock = clock

    def __call__(self, records: Sequence[Record], *, at: int) -> int:
        """See rows.processors.KeepRemoved."""
        data = self._lines(records, header=at == 0)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "r+b") as stream:
            stream.truncate(at)
            stream.seek(at)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            stream.seek(at)
            if stream.read() != data:
                raise BackupError(f"The backup {self._path.name} was not kept as it was written.")
        fsync_folder(self._path.parent)
        return at + len(data)

    def _lines(self, records: Sequence[Record], *, header: bool) -> bytes:
        moment = self._clock().astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00:00")
        buffer = io.BytesIO()
        writer = TableWriter(buffer, FORMAT, for_spreadsheets=True)
        if header:
            writer.write([*self._names, DEL_DATE])
        writer.write_many([*self._texts(record), moment] for record in records)
        return buffer.getvalue()

    def _texts(self, record: Record) -> list[str]:
        return [text_of(record.values.get(name), missing=CLEAR) for name in self._names]
