"""What the pages of past files take from people: which files are sought."""

from collections.abc import Mapping
from urllib.parse import urlencode

from portal.delivery.forms import TEXT_LENGTH
from portal.delivery.history import Sought
from portal.delivery.signs import SIGNS
from portal.delivery.states import FileState
from portal.web.numbers import number

STATES = [("", "Any outcome"), *((str(state), SIGNS[state][0]) for state in FileState)]


def sought_from(asked: Mapping[str, str], *, limit: int) -> Sought:
    """Which files an address asks for; what makes no sense asks for nothing."""
    state = asked.get("state", "")
    return Sought(
        channel=asked.get("channel", ""),
        text=asked.get("text", "").strip()[:TEXT_LENGTH],
        state=state if state in set(FileState) else "",
        sha256=asked.get("sha256", "").strip().lower()[:64],
        before=_number(asked.get("before", "")),
        limit=limit,
    )


def query_of(sought: Sought, *, before: int | None = None) -> str:
    """The same as part of an address, beginning below a row."""
    said = {
        "channel": sought.channel,
        "text": sought.text,
        "state": sought.state,
        "sha256": sought.sha256,
        "before": before,
    }
    return urlencode({name: value for name, value in said.items() if value})


def _number(text: str) -> int | None:
    try:
        return number(text)
    except ValueError:
        return None
