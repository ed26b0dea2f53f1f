"""What people wrote is shown so that it cannot pass for something else."""

import pytest

from portal.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invoice\u202efdp.csv", "invoice\\u202efdp.csv"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31mred\x00", "\\u001b[31mred\\u0000"),
        ("\u2066a\u2069\u200f\u061c\u2028\x85", "\\u2066a\\u2069\\u200f\\u061c\\u2028\\u0085"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_hides_or_turns_text_round_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text", ["", "Müller & Søn", "שלום", "🦦", "a\u00a0b", "👩\u200d🚀", "''<b>"]
)
def test_plain_text_of_any_script_stays(text: str) -> None:
    assert visible(text) == text
