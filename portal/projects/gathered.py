"""Bytes that come in very many small pieces and are read once, whole: the most of them on disk."""

import tempfile
from collections.abc import Iterator

_PIECE = 64 * 1024
_IN_MEMORY = 1024 * 1024
_CHUNK = 256 * 1024


class Gathered:
    """Grows by `add`, one call to the file for thousands of pieces; `size` is in bytes."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._piece = bytearray()
        self.size = 0

    def add(self, data: bytes) -> None:
        """Append `data`."""
        self._piece += data
        self.size += len(data)
        if len(self._piece) >= _PIECE:
            self._put()

    def chunks(self) -> Iterator[bytes]:
        """All of it from the start; nothing can be added afterwards."""
        self._put()
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk

    def close(self) -> None:
        """Remove it; closing twice is fine."""
        self._file.close()

    def _put(self) -> None:
        self._file.write(self._piece)
        self._piece.clear()
