"""A batch's reading, converting and writing of a million rows, against bare csv and against dicts.

The file has ten columns, five of them converted, and one row in a hundred is wrong. Ours reads it
as a batch does, finds every error of every row, and writes the finished and the pending file. The
limit is `csv.reader` to `csv.writer` with nothing in between; the other peer does all the work the
usual way, with DictReader, a try for each field and DictWriter. All run in processes of their own.
"""

import csv
import hashlib
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

from bench.report import Goal, report
from portal.tabular.conversion import Conversion, RowErrors, error_line
from portal.tabular.fields import Field, FieldType
from portal.tabular.formats import Format
from portal.tabular.markers import ERRORS, MARKERS
from portal.tabular.reading import open_table
from portal.tabular.writing import TableWriter
from tests.memory import peak_memory

ROWS = int(os.environ.get("BENCH_ROWS", "1_000_000"))
PAIRS = int(os.environ.get("BENCH_PAIRS", "5"))
LONG = os.environ.get("BENCH_LONG") == "1"
BAD_EVERY, MUCH = 100, 10
MEMORY_MB = 40
PORTION = 500
FORMAT = Format(kind="csv")
FIELDS = (
    Field(name="number", type=FieldType.INTEGER, required=True),
    Field(name="price", type=FieldType.DECIMAL, digits=10, scale=2),
    Field(name="day", type=FieldType.DATE),
    Field(name="active", type=FieldType.BOOLEAN),
    Field(name="email", type=FieldType.EMAIL),
)
HEADER = ("number", "name", "price", "day", "street", "active", "email", "city", "note", "code")
COLUMNS = tuple(name if name in {f.name for f in FIELDS} else None for name in HEADER)
WRONG = ("x1", "name", "1,5", "31/12/2025", "street", "perhaps", "nobody", "city", "note", "code")


@dataclass(kw_only=True)
class Runs:
    """Seconds of each way, pair by pair, and megabytes of ours."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    dicts: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


def main() -> bool:
    """Measure and print; true if every goal is met."""
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as name:
        runs = compare(Path(name))
        much = memory_of_much(Path(name)) if LONG else []
    goals = [
        Goal(what="seconds, against bare csv", ours=runs.ours, peer=runs.bare, at_most=2.0),
        Goal(what="seconds, against dicts", ours=runs.ours, peer=runs.dicts, at_most=0.6),
        Goal(
            what=f"peak memory in MB, against {MEMORY_MB}",
            ours=runs.memory,
            peer=[MEMORY_MB] * len(runs.memory),
            at_most=1.0,
        ),
    ]
    if much:
        few = runs.memory[:1]
        goals.append(
            Goal(what=f"peak memory in MB at {MUCH} × the rows", ours=much, peer=few, at_most=1.1)
        )
    return report(f"A batch of {ROWS} rows: read, convert, write", goals)


def compare(folder: Path) -> Runs:
    """Run the three ways in turn; ours and the dicts must have written the same."""
    source, runs = folder / "source.csv", Runs()
    make_file(source)
    for _ in range(PAIRS):
        seconds, memory = apart(write_ours, source, folder / "ours")
        runs.ours.append(seconds)
        runs.memory.append(memory)
        runs.bare.append(apart(write_bare, source, folder / "bare")[0])
        runs.dicts.append(apart(write_dicts, source, folder / "dicts")[0])
    if outcome(folder / "ours") != outcome(folder / "dicts"):
        raise SystemExit("ours and the dicts disagree about the rows")
    return runs


def memory_of_much(folder: Path) -> list[float]:
    """Megabytes of ours with ten times the rows."""
    source = folder / "much.csv"
    make_file(source, rows=ROWS * MUCH)
    return [apart(write_ours, source, folder / "ours")[1]]


def make_file(target: Path, *, rows: int = ROWS, bad: bool = True) -> None:
    """Write the same rows every time; each wrong one has one or two wrong cells."""
    source = random.Random(7)
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for number in range(rows):
            row = make_row(source, number)
            if bad and number % BAD_EVERY == BAD_EVERY // 2:
                for place in source.choices([p for p, name in enumerate(COLUMNS) if name], k=2):
                    row[place] = WRONG[place]
            writer.writerow(row)


def make_row(source: random.Random, number: int) -> list[str]:
    """Some hundred and twenty characters."""
    return [
        str(number),
        f"Name of number {number}",
        f"{source.randint(0, 10**7) / 100:.2f}",
        (date(2000, 1, 1) + timedelta(days=source.randint(0, 9000))).isoformat(),
        f"{source.randint(1, 300)} Some Street",
        source.choice(("1", "0", "true", "false")),
        f"person{number}@example.org",
        source.choice(("Dresden", "Benin City", "New York", "Ulaanbaatar")),
        "a note, with a comma" if number % 10 == 0 else "a note without any",
        f"{source.randint(0, 99999):05}",
    ]


def apart(work: Callable[[Path, Path], None], source: Path, target: Path) -> tuple[float, float]:
    """Run `work` in a process of its own; return its seconds and its peak memory in MB."""
    target.mkdir(exist_ok=True)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_measured, args=(there, work, source, target))
    process.start()
    there.close()  # so that a process that fails ends the waiting
    seconds, memory = here.recv()
    process.join()
    return seconds, memory


def _measured(pipe, work, *given) -> None:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    work(*given)
    seconds = time.perf_counter() - started
    pipe.send((seconds, peak_memory() / 2**20))


def write_ours(source: Path, folder: Path) -> None:
    """What the engine does with a file, without the records."""
    with (
        open_table(source, FORMAT) as table,
        (folder / "finished.csv").open("wb") as good,
        (folder / "pending.csv").open("wb") as bad,
    ):
        finished, pending = TableWriter(good, FORMAT), TableWriter(bad, FORMAT)
        finished.write(table.header)
        pending.write([*table.header, ERRORS])
        conversion = Conversion(FIELDS, COLUMNS, creating=True)
        for cells in portions(table.rows):
            write_portion(cells, conversion, finished, pending)


def portions(rows: Iterator[tuple[int, int, list[str]]]) -> Iterator[list[list[str]]]:
    """The cells of `rows`, some at a time."""
    while portion := [cells for _, _, cells in islice(rows, PORTION)]:
        yield portion


def write_portion(
    rows: list[list[str]],
    conversion: Conversion,
    finished: TableWriter,
    pending: TableWriter,
) -> None:
    """Convert some rows and write each where it belongs."""
    results = conversion.convert_many(rows)
    failed = [n for n, result in enumerate(results) if isinstance(result, RowErrors)]
    pending.write_many([*rows[n], error_line(results[n].errors)] for n in failed)
    for n in reversed(failed):
        del rows[n]
    finished.write_many(rows)


def write_bare(source: Path, folder: Path) -> None:
    """From reader to writer."""
    with (
        source.open(newline="", encoding="utf-8") as given,
        (folder / "all.csv").open("w", newline="", encoding="utf-8") as taken,
    ):
        csv.writer(taken).writerows(csv.reader(given))


def write_dicts(source: Path, folder: Path) -> None:
    """The same work as it is usually written."""
    with (
        source.open(newline="", encoding="utf-8") as given,
        (folder / "finished.csv").open("w", newline="", encoding="utf-8") as good,
        (folder / "pending.csv").open("w", newline="", encoding="utf-8") as bad,
    ):
        reader = csv.DictReader(given)
        names = list(reader.fieldnames or ())
        finished, pending = csv.DictWriter(good, names), csv.DictWriter(bad, [*names, ERRORS])
        finished.writeheader()
        pending.writeheader()
        for row in reader:
            _, errors = converted(row)
            if errors:
                pending.writerow(row | {ERRORS: "; ".join(errors)})
            else:
                finished.writerow(row)


def converted(row: dict[str, str]) -> tuple[dict[str, object], list[str]]:
    """The five values of a row, and what was wrong with it."""
    values: dict[str, object] = {}
    if None in row or None in row.values():
        return values, ["the row has too many or too few cells"]
    errors = []
    for name, convert in CONVERTERS.items():
        text = row[name].strip()
        try:
            if text not in MARKERS:
                values[name] = convert(text)
        except (ValueError, ArithmeticError) as error:
            errors.append(f"{name}: {error}")
    return values, errors


def to_decimal(text: str) -> Decimal:
    """A number with two places at most."""
    value = Decimal(text)
    if value.as_tuple().exponent < -2 or abs(value) >= 10**8:  # type: ignore[operator]  # no NaN here
        raise ValueError("too many digits")
    return value


def to_bool(text: str) -> bool:
    """Yes or no."""
    if text.lower() in ("1", "true", "on", "yes"):
        return True
    if text.lower() in ("0", "false", "off", "no"):
        return False
    raise ValueError("neither yes nor no")


def to_email(text: str) -> str:
    """Something with one @."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise ValueError("no e-mail address")
    return text


CONVERTERS: dict[str, Callable[[str], object]] = {
    "number": int,
    "price": to_decimal,
    "day": date.fromisoformat,
    "active": to_bool,
    "email": to_email,
}


def outcome(folder: Path) -> tuple[str, list[list[str]]]:
    """The hash of the finished file, and the pending rows without the words about them."""
    with (folder / "pending.csv").open(newline="", encoding="utf-8") as stream:
        pending = [cells[:-1] for cells in csv.reader(stream)]
    finished = hashlib.sha256((folder / "finished.csv").read_bytes()).hexdigest()
    return finished, pending


if __name__ == "__main__":
    sys.exit(not main())
