"""How a channel stands, in a word that a list shows, and when it goes on. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal.delivery.addresses import Transport
from portal.delivery.models import Channel, Endpoint
from portal.delivery.states import Direction
from portal.jobs.models import JobState


class Mood(StrEnum):
    """What lists of channels can be narrowed to."""

    ACTIVE = "active"
    READY = "ready"
    PAUSED = "paused"
    LOCKED = "locked"
    TROUBLED = "troubled"


MOOD_WORDS = {
    Mood.ACTIVE: "Running or queued",
    Mood.READY: "Ready",
    Mood.PAUSED: "Paused",
    Mood.LOCKED: "Locked out",
    Mood.TROUBLED: "In trouble",
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A mood with its word, and how both are shown; `text` says why."""

    mood: Mood
    word: str
    kind: str = "neutral"
    icon: str = "circle-dot"
    text: str = ""


def standing_of(channel: Channel, *, state: str = "") -> Standing:
    """How it stands; `state` is that of its newest run, which counts while that is active."""
    if state == JobState.RUNNING:
        word = "Sending" if channel.direction == Direction.SEND else "Fetching"
        return Standing(mood=Mood.ACTIVE, word=word, kind="info", icon="loader")
    if state == JobState.QUEUED:
        return Standing(mood=Mood.ACTIVE, word="Queued", icon="clock")
    if channel.paused:
        return Standing(mood=Mood.PAUSED, word="Paused", icon="pause")
    return _at_rest(channel)


def key_to_approve(channel: Channel) -> bool:
    """Whether the server showed a key that nobody approved, which keeps every run out."""
    endpoint = channel.endpoint
    return bool(endpoint.shown_key) and endpoint.shown_key != endpoint.host_key


def what_it_shows(endpoint: Endpoint) -> str:
    """What a server is known by: SFTP shows a key, FTPS a certificate."""
    return "key" if endpoint.transport == Transport.SFTP else "certificate"


def next_of(channel: Channel, *, scheduled: datetime | None) -> datetime | None:
    """When it runs next by itself: to try again, or by its schedule; None for a paused one."""
    if channel.paused:
        return None
    return min((time for time in (channel.next_try_at, scheduled) if time), default=None)


def _at_rest(channel: Channel) -> Standing:
    if key_to_approve(channel):
        what = what_it_shows(channel.endpoint)
        return Standing(
            mood=Mood.TROUBLED,
            word=f"{what} {'changed' if channel.endpoint.host_key else 'to approve'}".capitalize(),
            kind="danger",
            icon="key-round",
            text=f"Nothing is transferred until an operator approves the server's {what}.",
        )
    if channel.blocked:
        stale = bool(channel.blocked.get("stale"))
        return Standing(
            mood=Mood.LOCKED,
            word="Stale lock" if stale else "Locked out",
            kind="warning",
            icon="lock",
            text=f"The server is locked by {channel.blocked['owner']}.",
        )
    if channel.incident:
        return Standing(
            mood=Mood.TROUBLED, word="Fails", kind="danger", icon="circle-x", text=channel.incident
        )
    return Standing(mood=Mood.READY, word="Ready", kind="success", icon="circle-check")
