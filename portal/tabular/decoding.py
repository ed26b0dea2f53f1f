"""Bytes of a file decoded a block at a time, up to the first that stands for no character."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from portal.tabular.encoding import ENCODINGS, suggestion

BLOCK = 65_536
MARK = "\ufeff"
_NEAR = 1_000


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why a text cannot be read on; `near` are the bytes around one that `encoding` has not."""

    message: str
    near: bytes = b""
    encoding: str = ""

    def explained(self) -> str:
        """Return the message with what can be done. It takes a while where bytes are judged."""
        if not self.near:
            return self.message
        better = suggestion(self.near, besides=self.encoding)
        other = f"another encoding for the file{better and f', probably {better}'}"
        return f"{self.message} Choose {other}, or repair the line."


def decoded(
    stream: IO[bytes], encoding: str, *, block: int = BLOCK
) -> Iterator[tuple[str, Fault | None]]:
    """Yield the text of a stream in parts, the last with the fault behind it, if there is one.

    No part ends in a \\r to which a \\n may belong. Byte order marks at its beginning are left out.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    waiting, first = "", True
    while True:
        read = stream.read(block)
        text, fault = _decode(decoder, read, encoding)
        text = waiting + text
        if first and text:
            text, first = text.lstrip(MARK), False
        waiting = "\r" if text.endswith("\r") and read and not fault else ""
        yield text[: len(text) - len(waiting)], fault
        if not read or fault:
            return


_NUL = Fault(
    message="A NUL character stands here, which no text has. "
    "If the file is UTF-16, choose that as its encoding."
)
_NO_MARK = Fault(message="The file has no byte order mark. Choose an encoding without one.")


def _decode(
    decoder: codecs.IncrementalDecoder, read: bytes, encoding: str
) -> tuple[str, Fault | None]:
    """Decode as much as can be, and say why no more."""
    fault = None
    try:
        text = decoder.decode(read, final=not read)
    except UnicodeDecodeError as error:
        text, fault = _up_to(error, decoder, read, encoding)
    except UnicodeError:
        text, fault = "", _NO_MARK
    if "\0" in text:
        return text[: text.index("\0")], _NUL
    return text, fault


def _up_to(
    error: UnicodeDecodeError, decoder: codecs.IncrementalDecoder, read: bytes, encoding: str
) -> tuple[str, Fault]:
    kept = len(decoder.getstate()[0])
    try:
        before = decoder.decode(read[: max(0, error.start - kept)])
    except UnicodeDecodeError:
        before = ""
    except UnicodeError:
        return "", _NO_MARK
    byte = error.object[error.start]
    near = error.object[max(0, error.start - _NEAR) : error.end + _NEAR]
    message = f"The byte {byte:02X} (hexadecimal) cannot stand here in {ENCODINGS[encoding]}."
    return before, Fault(message=message, near=near, encoding=encoding)
