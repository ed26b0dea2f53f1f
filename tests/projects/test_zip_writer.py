"""The zip writer: any reader opens what it writes, and the same input gives the same bytes."""

import hashlib
import io
import os
import subprocess
import zipfile
from datetime import UTC, datetime

import pytest

from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.projects import zip_records
from portal.projects.zip_writer import WHOLE, ZipWriter

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)


def make_zip(*entries, moment=MOMENT):
    stream = io.BytesIO()
    with ZipWriter(stream, moment=moment) as writer:
        for name, content in entries:
            writer.add_bytes(name, content)
    return stream


def opened(stream):
    stream.seek(0)
    return zipfile.ZipFile(stream)


def test_what_is_written_is_read_back_by_the_standard_library():
    content = b"<p>text</p>" * 500
    with opened(make_zip(("p/a.html", content), ("p/empty", b""))) as archive:
        assert archive.testzip() is None
        assert archive.read("p/a.html") == content
        assert archive.read("p/empty") == b""


def test_unzip_finds_nothing_wrong(tmp_path):
    target = tmp_path / "all.zip"
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(WHOLE + 10))
    text = tmp_path / "big.txt"
    text.write_bytes(b"line of text\n" * 200_000)
    with target.open("wb") as stream, ZipWriter(stream, moment=MOMENT) as writer:
        writer.add_bytes("p/größe.html", b"abc" * 1000)
        writer.add_file("p/big.bin", big)
        writer.add_file("p/big.txt", text)
        writer.add_chunks("p/history.jsonl", (b"{}\n" * 1000 for _ in range(50)))
    run = subprocess.run(["unzip", "-t", target], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "No errors detected" in run.stdout


def test_text_is_deflated_and_what_does_not_shrink_is_stored():
    noise = os.urandom(200_000)
    stream = make_zip(("a.txt", b"words " * 999), ("b.jpg", noise), ("c.bin", noise[:999]))
    with opened(stream) as archive:
        methods = {entry.filename: entry.compress_type for entry in archive.infolist()}
    assert methods == {
        "a.txt": zipfile.ZIP_DEFLATED,
        "b.jpg": zipfile.ZIP_STORED,
        "c.bin": zipfile.ZIP_STORED,
    }


def test_a_large_picture_is_stored_and_a_large_text_named_like_one_is_deflated(tmp_path):
    (tmp_path / "noise.jpg").write_bytes(os.urandom(WHOLE * 2))
    (tmp_path / "text.jpg").write_bytes(b"not a picture at all\n" * 100_000)
    stream, entries = io.BytesIO(), []
    with ZipWriter(stream, moment=MOMENT) as writer:
        writer.add_file("noise.jpg", tmp_path / "noise.jpg", then=entries.append)
        writer.add_file("text.jpg", tmp_path / "text.jpg", then=entries.append)
    noise, text = entries
    assert noise.packed_size == noise.size
    assert text.packed_size < text.size / 10
    assert opened(stream).testzip() is None


def test_an_entry_tells_the_size_and_checksum_of_its_content(tmp_path):
    content = b"0123456789" * (WHOLE // 5)
    (tmp_path / "f").write_bytes(content)
    entries = []
    with ZipWriter(io.BytesIO(), moment=MOMENT) as writer:
        writer.add_file("large", tmp_path / "f", then=entries.append)
        writer.add_bytes("small", content[:5], then=entries.append)
        writer.add_bytes("whole", content, then=entries.append)
        writer.add_chunks("chunks", [content[:7], content[7:]], then=entries.append)
    assert [entry.name for entry in entries] == ["large", "small", "whole", "chunks"]
    entries.pop(1)
    assert {entry.size for entry in entries} == {len(content)}
    assert {entry.sha256 for entry in entries} == {hashlib.sha256(content).hexdigest()}


def test_the_same_input_gives_the_same_bytes():
    entries = [("a", b"one" * 99), ("b/c", b"two")]
    assert make_zip(*entries).getvalue() == make_zip(*entries).getvalue()


def test_entries_bear_the_moment_given():
    with opened(make_zip(("a", b"x"))) as archive:
        assert archive.getinfo("a").date_time == (2026, 3, 4, 5, 6, 8)


@pytest.mark.parametrize(("year", "kept"), [(1970, 1980), (2200, 2107)])
def test_a_moment_outside_the_format_is_the_nearest_inside(year, kept):
    with opened(make_zip(("a", b"x"), moment=datetime(year, 5, 5, tzinfo=UTC))) as archive:
        assert archive.getinfo("a").date_time[0] == kept


def test_names_are_kept_in_any_script():
    names = ["p/Ärger.html", "p/日本語/ページ.html", "p/emoji 🎉.png", "p/a b.html"]
    with opened(make_zip(*((name, b"x") for name in names))) as archive:
        assert archive.namelist() == names


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../x", "a/../b", "a/..", ".", "a/./b", "a//b", "a/", "a\\b", "C:x",
     "a\nb", "a\x00", "\x85", "\ud800"],
)  # fmt: skip
def test_a_name_that_could_escape_is_refused(name):
    with pytest.raises(InvalidError):
        make_zip((name, b"x"))


@pytest.mark.parametrize("name", ["..a", "a..b", ".hidden", "a/...", "v1.2/x", "ab:c"])
def test_a_name_with_harmless_dots_is_accepted(name):
    assert opened(make_zip((name, b"x"))).namelist() == [name]


def test_a_repeated_name_is_refused():
    with pytest.raises(InvalidError, match="already"):
        make_zip(("a", b"x"), ("a", b"y"))


def test_a_name_longer_than_the_format_allows_is_refused():
    with pytest.raises(InvalidError, match="too long"):
        make_zip(("ü" * 40_000, b"x"))


def test_more_entries_than_the_old_format_counts_are_all_there():
    stream = io.BytesIO()
    with ZipWriter(stream, moment=MOMENT) as writer:
        for number in range(70_000):
            writer.add_bytes(f"{number}", b"")
    assert len(opened(stream).infolist()) == 70_000


def test_an_entry_over_four_gigabytes_and_what_follows_it_are_kept_whole(tmp_path):
    target, block, blocks = tmp_path / "wide.zip", bytes(1024 * 1024), 4097
    with target.open("wb") as stream, ZipWriter(stream, moment=MOMENT) as writer:
        writer.add_chunks("wide.bin", (block for _ in range(blocks)))
        writer.add_bytes("after", b"still fine")
    with zipfile.ZipFile(target) as archive:
        assert archive.getinfo("wide.bin").file_size == blocks * len(block)
        assert archive.read("after") == b"still fine"


def test_offsets_past_four_gigabytes_are_written_wide():
    packed = zip_records.Packed(zip_records.STORED, 0, 1, 1)
    record = zip_records.central_header(b"n", packed, (0, 0), 2**32 + 7)
    assert record.endswith((2**32 + 7).to_bytes(8, "little"))


def test_a_file_that_shrinks_while_it_is_read_is_a_conflict(tmp_path):
    source = tmp_path / "f.bin"
    source.write_bytes(os.urandom(WHOLE * 3))

    def cut_off(_):
        os.truncate(source, 10)

    with (
        pytest.raises(ConflictError, match="changed"),
        ZipWriter(io.BytesIO(), moment=MOMENT, on_bytes=cut_off) as writer,
    ):
        writer.add_file("f.bin", source)


def test_a_symbolic_link_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(NotFoundError), ZipWriter(io.BytesIO(), moment=MOMENT) as writer:
        writer.add_file("link", tmp_path / "link")


def test_raising_from_the_byte_count_ends_the_writing_without_a_directory():
    def cancel(_):
        raise KeyboardInterrupt

    stream = io.BytesIO()
    with (
        pytest.raises(KeyboardInterrupt),
        ZipWriter(stream, moment=MOMENT, on_bytes=cancel) as writer,
    ):
        writer.add_bytes("a", b"x")
    assert not zipfile.is_zipfile(stream)


def test_the_bytes_told_add_up_to_the_source():
    told = []
    with ZipWriter(io.BytesIO(), moment=MOMENT, on_bytes=told.append) as writer:
        writer.add_bytes("a", b"x" * 10)
        writer.add_chunks("b", [b"y" * 5, b"z" * 6])
    assert sum(told) == 21
