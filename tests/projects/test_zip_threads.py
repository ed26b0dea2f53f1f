"""The threads that pack: bounded, ended by whatever goes wrong, and invisible in the result."""

import io
import os
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.errors import ConflictError, NotFoundError
from portal.projects.archive import write_zip
from portal.projects.zip_ahead import BATCH, ROUND, Rounds
from portal.projects.zip_writer import WHOLE, ZipWriter
from tests.projects.test_archive import make_content, make_file

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
MEASURE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from portal.projects.zip_writer import ZipWriter
from tests.memory import peak_memory
before = peak_memory()
with open(sys.argv[2], "wb") as stream, ZipWriter(stream, moment=datetime.now(UTC)) as writer:
    for number in range(int(sys.argv[3])):
        writer.add_file(f"f{number}", Path(sys.argv[1]))
print(peak_memory() - before)
"""


def pack_threads():
    return [one for one in threading.enumerate() if one.name.startswith("portal-pack")]


def made(*, size, count, stop_after=None):
    told = []

    def count_bytes(amount):
        told.append(amount)
        if stop_after and sum(told) > stop_after:
            raise KeyboardInterrupt

    with ZipWriter(io.BytesIO(), moment=MOMENT, on_bytes=count_bytes) as writer:
        for number in range(count):
            writer.add_bytes(f"{number}", os.urandom(size))
    return told


def test_results_come_in_the_order_given_in_the_callers_thread():
    handed = []
    rounds = Rounds(list, lambda item: handed.append((item, threading.current_thread())))
    for number in range(300):
        rounds.add(number, size=BATCH // (number % 7 + 1))
    rounds.drain()
    rounds.stop()
    assert handed == [(number, threading.current_thread()) for number in range(300)]


def test_what_is_under_way_stays_within_a_round():
    handed, most = [], 0
    rounds = Rounds(list, handed.append)
    for number in range(1, 1001):
        rounds.add(number, size=BATCH)
        most = max(most, (number - len(handed)) * BATCH)
    rounds.stop()
    assert most <= ROUND


def test_no_thread_is_left_after_writing():
    assert sum(made(size=1000, count=20_000)) == 20_000_000
    assert pack_threads() == []


def test_a_cancelled_writing_leaves_no_thread():
    with pytest.raises(KeyboardInterrupt):
        made(size=WHOLE, count=40, stop_after=WHOLE * 2)
    assert pack_threads() == []


def made_of(source, *, then):
    """Write `source` after `then` happened to it: between its adding and a thread's reading."""
    with ZipWriter(io.BytesIO(), moment=MOMENT) as writer:
        writer.add_file("f", source)
        then()


def test_an_error_in_a_thread_is_raised_as_it_is(tmp_path):
    source = tmp_path / "f"
    source.write_bytes(os.urandom(WHOLE // 2))
    with pytest.raises(NotFoundError, match="'f' cannot be read"):
        made_of(source, then=source.unlink)
    assert pack_threads() == []


def test_a_file_that_grows_before_a_thread_reads_it_is_a_conflict(tmp_path):
    source = tmp_path / "f"
    source.write_bytes(os.urandom(WHOLE // 10))
    with pytest.raises(ConflictError, match="changed"):
        made_of(source, then=lambda: source.write_bytes(os.urandom(WHOLE // 10 + 1)))


def test_an_export_cancelled_among_its_files_leaves_no_file_and_no_thread(tmp_path):
    stored = tmp_path / "stored"
    stored.mkdir()
    files = [make_file(stored, f"{number}.bin", os.urandom(WHOLE // 2)) for number in range(30)]
    calls = []

    def cancel():
        calls.append(1)
        if len(calls) > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_zip(tmp_path / "p3.zip", make_content(files=files), checkpoint=cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["stored"]
    assert pack_threads() == []


def test_mixed_sizes_give_the_same_bytes_each_time():
    contents = [bytes([number % 251]) * (number * 997 % 90_000) for number in range(600)]
    results = []
    for _ in range(3):
        stream = io.BytesIO()
        with ZipWriter(stream, moment=MOMENT) as writer:
            for number, content in enumerate(contents):
                writer.add_bytes(f"{number}", content)
        results.append(stream.getvalue())
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(("size", "count"), [(2**30, 1), (WHOLE, 200), (60_000, 3000)])
def test_memory_stays_flat_for_large_and_for_many_files(tmp_path, size, count):
    source = tmp_path / "sparse"
    source.touch()
    os.truncate(source, size)
    command = [sys.executable, "-c", MEASURE, source, tmp_path / "x.zip", str(count)]
    root = Path(__file__).parents[2]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert int(run.stdout) < 32 * 1024 * 1024


def test_a_file_from_the_wide_limit_on_has_sizes_of_64_bits(tmp_path):
    (tmp_path / "f").write_bytes(os.urandom(WHOLE * 2))
    target = tmp_path / "x.zip"
    with target.open("wb") as stream, ZipWriter(stream, moment=MOMENT, wide_from=WHOLE) as writer:
        writer.add_file("f", tmp_path / "f")
        writer.add_bytes("after", b"still fine")
    assert target.read_bytes()[18:26] == b"\xff" * 8
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
    subprocess.run(["unzip", "-tqq", target], check=True)
