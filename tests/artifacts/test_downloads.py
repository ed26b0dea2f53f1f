"""What a request for a file is answered."""

import hashlib
from pathlib import Path

import pytest

from portal.artifacts.downloads import Answer, FilePart, decide, digest_header, disposition

ETAG = '"abc"'


def part(start: int, length: int) -> Answer:
    return Answer(status=206, start=start, length=length)


WHOLE = Answer(status=200, length=100)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("", WHOLE),
        ("bytes=0-", part(0, 100)),
        ("bytes=10-19", part(10, 10)),
        ("bytes=90-", part(90, 10)),
        ("bytes=90-500", part(90, 10)),
        ("bytes=-10", part(90, 10)),
        ("bytes=-500", part(0, 100)),
        ("Bytes = 0-0", part(0, 1)),
        ("bytes=100-", Answer(status=416)),
        ("bytes=500-600", Answer(status=416)),
        ("bytes=-0", Answer(status=416)),
        ("bytes=20-10", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=0-1,5-6", WHOLE),
        ("bytes=a-b", WHOLE),
        ("pages=1-2", WHOLE),
        (f"bytes=0-{'9' * 5000}", WHOLE),
        (f"bytes=-{'9' * 5000}", WHOLE),
    ],
)
def test_a_range_is_answered_as_the_rfc_says(asked: str, answer: Answer) -> None:
    assert decide(size=100, etag=ETAG, asked=asked) == answer


def test_an_empty_file_has_no_part() -> None:
    assert decide(size=0, etag=ETAG, asked="bytes=0-") == Answer(status=416)


@pytest.mark.parametrize("stamp", ['"old"', 'W/"abc"', "Sat, 21 Nov 2026 12:00:00 GMT"])
def test_a_part_of_another_version_is_answered_with_the_whole(stamp: str) -> None:
    assert decide(size=100, etag=ETAG, asked="bytes=50-", if_range=stamp) == WHOLE


def test_a_part_of_this_very_version_goes_on() -> None:
    assert decide(size=100, etag=ETAG, asked="bytes=50-", if_range=ETAG) == part(50, 50)


@pytest.mark.parametrize("known", [ETAG, 'W/"abc"', '"x", "abc"', "*"])
def test_who_has_the_file_gets_304(known: str) -> None:
    assert decide(size=100, etag=ETAG, if_none_match=known).status == 304


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("p3.zip", "attachment; filename=\"p3.zip\"; filename*=UTF-8''p3.zip"),
        (
            "Größe €.zip",
            "attachment; filename=\"Groe .zip\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%E2%82%AC.zip",
        ),
        ("日本", "attachment; filename=\"download\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC"),
        (
            'a"b\\c%.zip',
            "attachment; filename=\"a_b_c_.zip\"; filename*=UTF-8''a%22b%5Cc%25.zip",
        ),
        (
            "x\r\nSet-Cookie: y",
            "attachment; filename=\"x__Set-Cookie: y\"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20y",
        ),
    ],
)
def test_any_name_fits_into_the_header(name: str, header: str) -> None:
    assert disposition(name) == header


def test_the_digest_header_has_the_checksum_in_base64() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    assert digest_header(digest) == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


def test_a_part_of_a_file_is_exactly_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)) * 4096)
    reading = FilePart(file, part(1000, 700_000))
    assert b"".join(reading) == file.read_bytes()[1000:701_000]
    reading.close()
    reading.close()


def test_a_link_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic links"):
        FilePart(tmp_path / "link", WHOLE)
