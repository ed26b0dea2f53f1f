"""How the process that reads a spreadsheet answers: four bytes of length, then JSON."""

import json
import struct
from typing import IO, Any

LENGTH = struct.Struct(">I")
OUT_OF_MEMORY = 3


def send(target: IO[bytes], answer: dict[str, Any]) -> None:
    """Write one frame."""
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    target.write(LENGTH.pack(len(body)) + body)
