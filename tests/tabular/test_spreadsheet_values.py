"""Stored numbers, dates and times become plain text."""

from datetime import datetime

import pytest

from portal.tabular.sheets.values import (
    Kind,
    iso_duration_text,
    iso_moment_text,
    kind_of_format,
    moment_text,
    number_text,
    serial_text,
    unescaped,
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("42.0", "42"),
        ("007", "7"),
        ("1E3", "1000"),
        ("1.5E-7", "0.00000015"),
        ("-3.10", "-3.1"),
        ("9007199254740991.0", "9007199254740991"),
        ("0.30000000000000004", "0.3"),
        ("1100.0000000000001", "1100"),
        ("0.6666666666666666", "0.6666666666666666"),
        ("3.141592653589793", "3.141592653589793"),
        ("1.2345678901234567e+18", "1234567890123456700"),
    ],
)
def test_a_number_is_written_plainly(raw: str, text: str) -> None:
    assert number_text(raw) == text


@pytest.mark.parametrize("raw", ["", "x", "nan", "1e999", "1,5"])
def test_what_is_no_number_is_refused(raw: str) -> None:
    with pytest.raises(ValueError):
        number_text(raw)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", Kind.NUMBER),
        ("0.00E+00", Kind.NUMBER),
        ("[Red]0.00;[Blue]-0", Kind.NUMBER),
        ('#,##0.00 "hours"', Kind.NUMBER),
        ("\\d0", Kind.NUMBER),
        ("0_d", Kind.NUMBER),
        ("[$€-2] #,##0", Kind.NUMBER),
        ("General;[Red]-General", Kind.NUMBER),
        ("[<=9999999]###-####", Kind.NUMBER),
        ("@", Kind.NUMBER),
        ("yyyy-mm-dd", Kind.DATE),
        ("[$-409]d-mmm-yy", Kind.DATE),
        ("mmm", Kind.DATE),
        ("m/d/yy h:mm AM/PM", Kind.DATE),
        ("hh:mm", Kind.TIME),
        ("mm:ss.0", Kind.TIME),
        ("[h]:mm", Kind.DURATION),
        ("[ss]", Kind.DURATION),
    ],
)
def test_a_format_tells_what_its_numbers_are(code: str, kind: Kind) -> None:
    assert kind_of_format(code) is kind


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        ("45351", Kind.DATE, "2024-02-29"),
        ("45351.4166666667", Kind.DATE, "2024-02-29 10:00:00"),
        ("45351.4166782407", Kind.TIME, "2024-02-29 10:00:01"),
        ("0.5", Kind.DATE, "12:00:00"),
        ("0.395833333333333", Kind.TIME, "09:30:00"),
        ("0", Kind.TIME, "00:00:00"),
        ("1.10416666666667", Kind.DURATION, "26:30:00"),
        ("-3", Kind.DURATION, "-72:00:00"),
        ("0.00000578703", Kind.DURATION, "00:00:00.500"),
        ("1", Kind.DATE, "1900-01-01"),
        ("59", Kind.DATE, "1900-02-28"),
        ("61", Kind.DATE, "1900-03-01"),
        ("-30701", Kind.DATE, "1815-12-10"),
        ("2958465", Kind.DATE, "9999-12-31"),
        ("2958466", Kind.DATE, "2958466"),
        ("1e9", Kind.DATE, "1000000000"),
    ],
)
def test_a_serial_is_written_as_its_format_means_it(raw: str, kind: Kind, text: str) -> None:
    assert serial_text(raw, kind) == text


@pytest.mark.parametrize(("raw", "text"), [("0", "1900-01-00"), ("60", "1900-02-29")])
def test_days_that_never_were_are_shown_as_excel_shows_them(raw: str, text: str) -> None:
    assert serial_text(raw, Kind.DATE) == text


def test_a_serial_may_count_from_1904() -> None:
    assert serial_text("0", Kind.DATE, from_1904=True) == "1904-01-01"
    assert serial_text("24472.1763888889", Kind.DATE, from_1904=True) == "1971-01-01 04:14:00"


def test_a_stored_moment_loses_its_midnight() -> None:
    assert iso_moment_text("2024-02-29T00:00:00") == "2024-02-29"
    assert iso_moment_text("2024-02-29T10:00:00.500") == "2024-02-29 10:00:00.500"
    assert iso_moment_text("soon") == "soon"


def test_a_moment_shows_no_more_than_it_has() -> None:
    assert moment_text(datetime(2024, 2, 29, 10)) == "2024-02-29 10:00:00"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("PT26H30M00S", "26:30:00"),
        ("-PT00H30M15.25S", "-00:30:15.250"),
        ("P1DT02H00M00S", "26:00:00"),
        ("later", "later"),
    ],
)
def test_a_stored_duration_is_written_with_colons(raw: str, text: str) -> None:
    assert iso_duration_text(raw) == text


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("a_x000D_b", "a\rb"),
        ("_x005F_x000D_", "_x000D_"),
        ("_xD83D_", "_xD83D_"),
        ("_x12_", "_x12_"),
    ],
)
def test_escaped_characters_are_restored(stored: str, text: str) -> None:
    assert unescaped(stored) == text
