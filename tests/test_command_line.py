"""Options that may stand anywhere in a command line."""

import pytest

from portal.cli import hoisted


@pytest.mark.parametrize(
    ("given", "sorted_out"),
    [
        ("jobs list --json", "--json jobs list"),
        ("jobs show 1234 --as anna --json", "--as anna --json jobs show 1234"),
        ("jobs list --as=anna --limit 3", "--as=anna jobs list --limit 3"),
        ("projects show -- --json", "projects show -- --json"),
    ],
)
def test_options_of_every_command_come_first(given: str, sorted_out: str) -> None:
    assert hoisted(given.split()) == sorted_out.split()
