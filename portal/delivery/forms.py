"""What the pages of delivery take from people, and what they make jobs with."""

from collections.abc import Mapping
from typing import Any

from portal.delivery.orders import Asking
from portal.delivery.overview import Wanted
from portal.delivery.standing import MOOD_WORDS, Mood
from portal.delivery.states import Direction
from portal.web.access import current_actor
from portal.web.extensions import services
from portal.web.signed_in import address

TEXT_LENGTH = 200
MOODS = [("", "Any state"), *((str(mood), word) for mood, word in MOOD_WORDS.items())]
DIRECTIONS = [
    ("", "Both directions"),
    (str(Direction.SEND), "Sending"),
    (str(Direction.FETCH), "Fetching"),
]


def wanted_from(asked: Mapping[str, str]) -> Wanted:
    """Which channels an address asks for; what makes no sense asks for nothing."""
    mood, direction = asked.get("state", ""), asked.get("direction", "")
    return Wanted(
        text=asked.get("text", "").strip()[:TEXT_LENGTH],
        mood=mood if mood in set(Mood) else "",
        direction=direction if direction in set(Direction) else "",
    )


def query_of(wanted: Wanted) -> dict[str, str]:
    """The same as parts of an address."""
    said = {"text": wanted.text, "state": wanted.mood, "direction": wanted.direction}
    return {name: value for name, value in said.items() if value}


def current_asking() -> Asking:
    """Who asks on a page, and what jobs are made with."""
    found = services()
    return Asking(
        actor=current_actor(),
        kinds=found.kinds,
        waker=found.waker,
        now=found.runtime.clock(),
        place=address(),
    )


def whose() -> dict[str, Any]:
    """Who changes something on a page, when and from where, as services take it."""
    now = services().runtime.clock()
    return {"actor": current_actor(), "now": now, "place": address()}
