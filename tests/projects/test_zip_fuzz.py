"""Whatever is written, in whatever mixture, another reader gets back byte for byte."""

import io
import os
import random
import subprocess
import zipfile
from datetime import UTC, datetime

import pytest

from portal.projects.zip_writer import WHOLE, ZipWriter

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
LETTERS = "abcXYZ019 ._-+äß語🎉'\"&%"
ENTRIES = 5_000
SEEDS = range(4)  # 20,000 entries in all
SIZES = (0, 1, 100, 2_000, 17_000)


def random_name(source, number):
    parts = ["".join(source.choices(LETTERS, k=source.randint(1, 12))) for _ in range(3)]
    folders = [part for part in parts[: source.randint(0, 2)] if part.strip(".")]
    return "/".join([*folders, f"{number}{parts[2]}"])


def random_content(source):
    size = source.randint(0, source.choice(SIZES))
    if source.random() < 0.3:
        return source.randbytes(size)
    words = [source.randbytes(source.randint(1, 9)) for _ in range(20)]
    return b"".join(source.choices(words, k=size // 5))[:size]


def add_somehow(writer, source, name, content, scratch):
    how = source.randrange(20)
    if how == 0:
        cut = source.randint(0, len(content))
        writer.add_chunks(name, [content[:cut], content[cut:]])
    elif how < 8:
        scratch.write_bytes(content)
        writer.add_file(name, scratch)
    else:
        writer.add_bytes(name, content)


def random_zip(seed, target, folder):
    source, written = random.Random(seed), {}
    with target.open("wb") as stream, ZipWriter(stream, moment=MOMENT) as writer:
        for number in range(ENTRIES):
            name, content = random_name(source, number), random_content(source)
            add_somehow(writer, source, name, content, folder / "scratch")
            written[name] = content
    return written


@pytest.mark.parametrize("seed", SEEDS)
def test_thousands_of_random_entries_come_back_in_order(tmp_path, seed):
    written = random_zip(seed, tmp_path / "all.zip", tmp_path)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == list(written)
        assert all(archive.read(name) == content for name, content in written.items())


def test_unzip_finds_nothing_wrong_in_a_random_archive(tmp_path):
    random_zip(99, tmp_path / "all.zip", tmp_path)
    run = subprocess.run(["unzip", "-tqq", tmp_path / "all.zip"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 65_535, 65_536, WHOLE, WHOLE + 1])
@pytest.mark.parametrize("kind", ["noise", "text"])
def test_files_at_each_border_of_size_come_back(tmp_path, size, kind):
    content = os.urandom(size) if kind == "noise" else b"some text\n" * (size // 10 + 1)
    (tmp_path / "f").write_bytes(content[:size])
    stream = io.BytesIO()
    with ZipWriter(stream, moment=MOMENT) as writer:
        writer.add_file("f", tmp_path / "f")
    with zipfile.ZipFile(stream) as archive:
        assert archive.read("f") == content[:size]
