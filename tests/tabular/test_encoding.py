"""Encodings are found from marks, proper UTF-8, zero bytes, or the words of languages."""

import codecs
import random
import time

import pytest

from portal.tabular.encoding import ENCODINGS, find_encoding, suggestion
from tests.tabular.corpus.cases import ENCODED, LANGUAGES


def best(content: bytes, *, whole: bool = True) -> str:
    return find_encoding(content, whole=whole)[0].encoding


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32"),
    ],
)
def test_a_byte_order_mark_is_certain(mark: bytes, encoding: str) -> None:
    (guess,) = find_encoding(mark + b"a\0\0\0", whole=True)
    assert (guess.encoding, guess.confidence) == (encoding, 1.0)


def test_utf_16_with_its_high_byte_first_tells_of_its_mark() -> None:
    (guess,) = find_encoding(codecs.BOM_UTF16_BE + "a,b".encode("utf-16-be"), whole=True)
    assert guess.bom


def test_ascii_is_utf_8_for_certain_only_when_all_of_it_was_seen() -> None:
    assert find_encoding(b"a,b\n", whole=True)[0].confidence == 1.0
    assert find_encoding(b"a,b\n", whole=False)[0].confidence < 1.0


def test_a_character_cut_at_the_end_of_the_head_is_no_fault() -> None:
    assert best("a,Größe".encode()[:-2], whole=False) == "utf-8"


def test_a_character_cut_at_the_end_of_the_file_is_one() -> None:
    assert best("a,Gr\xf6".encode()[:-1], whole=True) != "utf-8"


def test_a_single_wrong_byte_among_many_proper_characters_leaves_utf_8() -> None:
    guess = find_encoding("Größe,".encode() * 20 + b"\xe4", whole=True)[0]
    assert guess.encoding == "utf-8"
    assert guess.confidence < 0.9


@pytest.mark.parametrize(
    ("codec", "language"),
    [
        (codec, language)
        for codec, names in ENCODED.items()
        for language in names
        if "+" not in codec
    ],
)
def test_a_short_list_of_names_is_enough(codec: str, language: str) -> None:
    text = "".join(";".join(row) + "\r\n" for row in LANGUAGES[language])
    assert text.encode(codec).decode(best(text.encode(codec))).removeprefix("\ufeff") == text


@pytest.mark.parametrize("byte_order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "имя;город\nИван;Москва\n", "名前,都市\n田中,東京\n"]
)
def test_utf_16_is_found_without_a_mark(byte_order: str, text: str) -> None:
    assert best(text.encode(byte_order)) == byte_order


def test_a_stray_nul_does_not_make_utf_16_of_a_text() -> None:
    assert best(b"id,na\0me\n1,two\n3,four\n") == "utf-8"


def test_windows_1252_is_taken_before_latin_1_where_both_are_the_same() -> None:
    guesses = [guess.encoding for guess in find_encoding("Größe".encode("latin-1"), whole=True)]
    assert guesses[0] == "cp1252"
    assert "iso8859-1" in guesses


def test_bytes_that_windows_1252_has_not_leave_latin_1_to_choose() -> None:
    guesses = find_encoding(b"a\x81b\x8d\xe9t\xe9", whole=True)
    assert "cp1252" not in [guess.encoding for guess in guesses if guess.confidence > 0.1]
    assert "iso8859-1" in [guess.encoding for guess in guesses]


def test_every_guess_is_an_encoding_that_can_be_chosen() -> None:
    guesses = find_encoding(bytes(range(256)) * 4, whole=True)
    assert {guess.encoding for guess in guesses} <= set(ENCODINGS)
    assert all(codecs.lookup(name) for name in ENCODINGS)


def test_the_right_one_is_more_confident_than_the_next() -> None:
    first, second, *_ = find_encoding("Łukasz Wałęsa;Święcicka".encode("cp1250"), whole=True)
    assert first.encoding == "cp1250"
    assert first.confidence > second.confidence


@pytest.mark.parametrize(
    "content",
    [b"\xff" * 262_144, random.Random(1).randbytes(262_144), "имя".encode("cp1251") * 87_000],
    ids=["all high", "random", "all words"],
)
def test_the_time_is_bounded(content: bytes) -> None:
    before = time.thread_time()
    find_encoding(content, whole=False)
    assert time.thread_time() - before < 1.0


def test_a_part_in_another_encoding_is_suggested_by_name() -> None:
    assert suggestion("Müller, Köln".encode("cp1252"), besides="utf-8").startswith("Windows-1252")


def test_nothing_is_suggested_where_the_rest_is_as_it_should_be() -> None:
    assert suggestion("Müller ".encode() * 20 + b"\xfc", besides="utf-8") == ""
