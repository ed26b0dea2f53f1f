"""Spreadsheets (XLSX, XLS, ODS) as tables. Each is parsed in a limited process of its own.

The process is bound to the thread that opens the sheet, and is ended when the reading is. Its
limits: see `portal.tabular.sheets.confinement`. Blank cells in merged areas are empty, the value
is in their first; formulas give the value that was saved with them; errors give their name, such
as #DIV/0!; rows and columns that are hidden, and sheets named outright, are read as others.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from portal.tabular.formats import Format
from portal.tabular.opening import open_stored
from portal.tabular.sheets.frames import LENGTH, OUT_OF_MEMORY, PARTED_BY
from portal.tabular.table import LIMITS, Limits, Row, Table, TableError, check_header

_FRAME_AT_MOST = 128 * 1024**2
_READ = 1024**2
_PASSED_ON = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
_INSTEAD = "Delete what is not needed, or save the sheet as CSV and upload that."


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What reading one spreadsheet may take: bytes of addresses, seconds of computing and waiting.

    `wait_seconds` is the time that the reader has waited altogether; how long the caller takes
    over the rows does not count.
    """

    memory: int = 1024**3
    cpu_seconds: int = 600
    wait_seconds: float = 900.0


BOUNDS = Bounds()


def sheet_names(path: Path, kind: str, *, bounds: Bounds = BOUNDS) -> list[str]:
    """Return the names of the sheets that people see; raises TableError if it cannot be read."""
    with _asked(path, {"wanted": "names", "kind": kind}, bounds) as answers:
        names: list[str] = answers.take()["names"]
        return names


@contextmanager
def open_sheet(
    path: Path, fmt: Format, *, limits: Limits = LIMITS, bounds: Bounds = BOUNDS
) -> Iterator[Table]:
    """Open a sheet as a table: the one that `fmt` names, or the first that is not hidden.

    The first row that holds anything is the header; rows below the last that does are not there.
    Raises TableError, also from the rows, with the row of the sheet as line. The header is not
    checked here, see `table.check_header`.
    """
    with _asked(path, _request("rows", fmt, limits), bounds) as answers:
        first = answers.take()
        header, line = first["header"], first["line"]
        yield Table(header=header, rows=_rows(answers, line), header_line=line)


def count_sheet(
    path: Path, fmt: Format, *, limits: Limits = LIMITS, bounds: Bounds = BOUNDS
) -> Generator[int]:
    """Yield how many rows below the header were counted so far, the last time all of them.

    All of the sheet is read and looked at as `open_sheet` does, so that the same faults are raised
    as TableError, those of the header included; but no cell has to be handed over.
    """
    with _asked(path, _request("count", fmt, limits), bounds) as answers:
        first = answers.take()
        check_header(first["header"], line=first["line"], limits=limits)
        while "counted" in (answer := answers.take()):
            yield answer["counted"]


def _request(wanted: str, fmt: Format, limits: Limits) -> dict[str, Any]:
    return {"wanted": wanted, "kind": fmt.kind, "sheet": fmt.sheet, "limits": asdict(limits)}


def _rows(answers: "_Answers", header_line: int) -> Iterator[Row]:
    """Number the rows, and give back the blank ones, which the process leaves out."""
    following = header_line + 1
    while "rows" in (answer := answers.take()):
        cells = answers.take_rows(answer)
        for line, row in zip(answer["rows"], cells, strict=True):
            for blank in range(following, line):
                yield blank - header_line, blank, []
            yield line - header_line, line, row
            following = line + 1


@contextmanager
def _asked(path: Path, request: dict[str, Any], bounds: Bounds) -> Iterator["_Answers"]:
    confine = {"parent": os.getpid(), "memory": bounds.memory, "cpu_seconds": bounds.cpu_seconds}
    order = json.dumps(request | {"confine": confine})
    receiving, sending = (
        os.fdopen(end, mode, 0) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True)
    )
    with receiving:
        with open_stored(path) as file, sending:
            process = _start(order, stdin=file, stdout=sending)
        try:
            yield _Answers(process, receiving.fileno(), bounds)
        finally:
            process.kill()
            process.wait()


def _start(order: str, *, stdin: IO[bytes], stdout: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start the process with nothing of the environment but what finds Python's own files."""
    return subprocess.Popen(  # noqa: S603 (our own program; the order is one JSON argument)
        [sys.executable, "-P", "-m", "portal.tabular.sheets.child", order],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        cwd="/",
    )


class _Answers:
    """The frames that the process sends, one after the other."""

    def __init__(self, process: "subprocess.Popen[bytes]", pipe: int, bounds: Bounds) -> None:
        self._process = process
        self._pipe = pipe
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)
        self._left = bounds.wait_seconds
        self._bounds = bounds

    def take(self) -> dict[str, Any]:
        """Return the next one; raises TableError where it is an error, or there is none."""
        answer: dict[str, Any] = json.loads(self._take_text())
        if "error" in answer:
            raise TableError(answer["error"], answer.get("line"), answer.get("column"))
        return answer

    def take_rows(self, answer: dict[str, Any]) -> Iterator[list[str]]:
        """Return the cells of the rows that `answer` told of, row by row."""
        cells, width = self._take_text().split(PARTED_BY), answer["width"]
        if len(cells) != len(answer["rows"]) * width:
            raise self._broken()
        return (cells[start : start + width] for start in range(0, len(cells), width))

    def _take_text(self) -> str:
        (size,) = LENGTH.unpack(self._read(LENGTH.size))
        if size > _FRAME_AT_MOST:
            raise self._broken()
        try:
            return self._read(size).decode()
        except UnicodeDecodeError:
            raise self._broken() from None

    def _read(self, size: int) -> bytes:
        pieces = []
        while size:
            self._wait()
            piece = os.read(self._pipe, min(size, _READ))
            if not piece:
                raise self._ended()
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _wait(self) -> None:
        began = time.monotonic()
        ready = self._poll.poll(max(0.0, self._left) * 1000)
        self._left -= time.monotonic() - began
        if not ready:
            seconds = self._bounds.wait_seconds
            raise TableError(f"Reading the spreadsheet took over {seconds:,.0f} s. {_INSTEAD}")

    def _ended(self) -> TableError:
        """Say why the process has ended before its answer had."""
        code = self._process.wait()
        if code in (OUT_OF_MEMORY, -signal.SIGABRT):
            room = self._bounds.memory // 1024**2
            return TableError(
                f"Reading the spreadsheet needs more than {room:,} MB of memory; perhaps a cell far"
                f" from the others holds something. {_INSTEAD}"
            )
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            seconds = self._bounds.cpu_seconds
            return TableError(
                f"Reading the spreadsheet takes over {seconds:,} s of computing. {_INSTEAD}"
            )
        return self._broken()

    def _broken(self) -> TableError:
        return TableError("The spreadsheet is damaged: the program that reads it gave up on it.")
