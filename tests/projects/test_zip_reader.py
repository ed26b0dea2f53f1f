"""The zip reader gives back what was packed, or says in words that the archive is damaged."""

import os
import random
import struct
import zipfile
from datetime import UTC, datetime

import pytest

from portal.errors import InvalidError
from portal.projects.manifest import Manifest
from portal.projects.verification import verify_zip
from portal.projects.zip_reader import ZipReader
from portal.projects.zip_records import CENTRAL, END, END64, LOCATOR64
from portal.projects.zip_writer import ZipWriter

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
INPUTS = int(os.environ.get("FUZZ_INPUTS", "20000"))
SHARES = 4
CONTENTS = {
    "p/größe.html": b"<p>text</p>" * 20,
    "p/empty": b"",
    "p/noise": bytes(random.Random(1).randbytes(50)),
}


def write_export(path, contents):
    with (
        path.open("wb") as stream,
        Manifest(project_id="p", portal_version="1", made_at=MOMENT) as manifest,
        ZipWriter(stream, moment=MOMENT) as archive,
    ):
        for name, content in contents.items():
            archive.add_bytes(name, content, then=manifest.add)
        archive.add_chunks("p/streamed", [b"one ", b"two "], then=manifest.add)
        archive.drain()
        archive.add_chunks("p/manifest.json", manifest.chunks())


def read_all(path):
    with ZipReader(path) as archive:
        return {record.name: b"".join(archive.content(record)) for record in archive.records()}


def with_wide_directory(content):
    """The same archive with every size and offset, and its end, in ZIP64 fields."""
    *_, count, _, offset, _ = END.unpack(content[-END.size :])
    directory, place = b"", offset
    for _ in range(count):
        head = list(CENTRAL.unpack_from(content, place))
        name = content[place + CENTRAL.size :][: head[10]]
        extra = struct.pack("<2H3Q", 1, 24, head[9], head[8], head[16])
        head[8] = head[9] = head[16] = 0xFFFFFFFF
        head[11] = len(extra)
        directory += CENTRAL.pack(*head) + name + extra
        place += CENTRAL.size + len(name)
    end = END64.pack(b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), offset)
    end += LOCATOR64.pack(b"PK\6\7", 0, offset + len(directory), 1)
    end += END.pack(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return content[:offset] + directory + end


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "p.zip"
    write_export(path, CONTENTS)
    return path


def test_it_reads_what_the_standard_library_reads(export):
    with zipfile.ZipFile(export) as archive:
        expected = {name: archive.read(name) for name in archive.namelist()}
    assert read_all(export) == expected
    assert expected.items() >= CONTENTS.items()


def test_it_reads_what_the_standard_library_writes(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"by another hand"
        archive.writestr("a", b"x" * 1_000_000)
        archive.writestr("ä/b", os.urandom(1000))
        expected = {name: archive.read(name) for name in archive.namelist()}
    assert read_all(path) == expected


def test_wide_sizes_offsets_and_counts_are_read(export):
    expected = read_all(export)
    export.write_bytes(with_wide_directory(export.read_bytes()))
    with zipfile.ZipFile(export) as archive:
        assert archive.testzip() is None
    assert read_all(export) == expected
    assert verify_zip(export, project_id="p", on_bytes=lambda _: None) > 0


def test_two_contents_can_be_read_at_once(export):
    with ZipReader(export) as archive:
        first, *_, last = archive.records()
        one, other = archive.content(first), archive.content(last)
        pieces = [next(one), next(other), *one, *other]
    assert pieces[0] == CONTENTS["p/größe.html"]


def test_a_stream_that_unpacks_to_more_than_it_says_is_cut_off_early(tmp_path):
    path, content = tmp_path / "bomb.zip", bytes(50_000_000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", content)
    small, large = (100).to_bytes(4, "little"), len(content).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(large, small))
    pieces = []
    with ZipReader(path) as archive, pytest.raises(InvalidError, match="bomb"):
        pieces.extend(archive.content(next(archive.records())))
    assert sum(map(len, pieces)) <= 100


def test_an_encrypted_entry_is_refused(export):
    content = bytearray(export.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    export.write_bytes(content)
    with pytest.raises(InvalidError, match="not known"):
        read_all(export)


def damaged(source, content):
    """`content` with one to three random faults."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        place, size = source.randrange(len(content)), source.choice((1, 2, 4, 8, 40))
        piece = content[place : place + size]
        other = source.choice(
            (b"", b"\0" * size, b"\xff" * size, piece * 2, source.randbytes(size))
        )
        flipped = bytes([piece[0] ^ 1 << source.randrange(8)]) + piece[1:]
        ending = source.choice((content[place + size :],) * 9 + (b"",))
        content = content[:place] + source.choice((other, flipped)) + ending
        content = content or b"\0"
    return content


@pytest.mark.timeout(600 + INPUTS // 1000)
@pytest.mark.parametrize("share", range(SHARES))
def test_a_damaged_export_is_refused_or_still_whole(export, share):
    source, whole = random.Random(share), read_all(export)
    plain = export.read_bytes()
    originals = (plain, with_wide_directory(plain))
    for _ in range(INPUTS // SHARES):
        export.write_bytes(damaged(source, source.choice(originals)))
        try:
            verify_zip(export, project_id="p", on_bytes=lambda _: None)
        except InvalidError:
            continue
        assert read_all(export) == whole
