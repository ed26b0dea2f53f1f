"""Everything that the pages of servers show of them; never a secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor
from portal.delivery.addresses import Address
from portal.delivery.endpoints import address_of, endpoint_with, list_endpoints
from portal.delivery.host_keys import fingerprint
from portal.delivery.models import Channel, Endpoint
from portal.delivery.orders import ENDPOINT, TEST
from portal.delivery.standing import what_it_shows
from portal.jobs.kinds import Kinds
from portal.jobs.views import JobView, view_latest
from portal.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class ServerLine:
    """A server in the list. `word`, `kind` and `icon` tell how its last test went."""

    endpoint: Endpoint
    address: Address
    channels: int
    word: str
    kind: str
    icon: str


@dataclass(frozen=True, kw_only=True)
class TestStep:
    """A step of a test; one without `seconds` is being taken."""

    name: str
    seconds: float | None
    fault: str


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A server as its page shows it. Keys are fingerprints, empty where there are none.

    `certificate` is the one that it showed in its last test.
    """

    endpoint: Endpoint
    address: Address
    channels: Sequence[Channel]
    approved_key: str
    shown_key: str
    certificate: str
    test: JobView | None
    steps: Sequence[TestStep]
    can: Mapping[str, Any]
    passed: bool

    @property
    def shows(self) -> str:
        """What the server is known by."""
        return what_it_shows(self.endpoint)

    @property
    def to_approve(self) -> bool:
        """Whether it shows a key that nobody approved."""
        return bool(self.shown_key) and self.shown_key != self.approved_key


def list_servers(session: Session, *, actor: Actor) -> Sequence[ServerLine]:
    """All servers by name. Raises ForbiddenError."""
    found = list_endpoints(session, actor=actor)
    used = list(session.scalars(select(Channel.endpoint_id)))
    return [_line(endpoint, used.count(endpoint.id)) for endpoint in found]


def look_at_server(
    session: Session, *, runtime: Runtime, kinds: Kinds, actor: Actor, endpoint_id: int
) -> Looked:
    """Look at a server. Raises ForbiddenError, NotFoundError."""
    endpoint = endpoint_with(session, actor=actor, endpoint_id=endpoint_id)
    test = view_latest(
        session,
        runtime=runtime,
        kinds=kinds,
        actor=actor,
        kind=TEST,
        subject_kind=ENDPOINT,
        subject_id=str(endpoint.id),
    )
    its = select(Channel).where(Channel.endpoint_id == endpoint.id).order_by(Channel.name)
    return Looked(
        endpoint=endpoint,
        address=address_of(endpoint),
        channels=session.scalars(its).all(),
        approved_key=_told(endpoint.host_key),
        shown_key=_told(endpoint.shown_key),
        certificate=_told(str(_can(endpoint).get("certificate", ""))),
        test=test,
        steps=_steps(endpoint.profile, running=test is not None and test.active),
        can=_can(endpoint),
        passed=bool(endpoint.profile.get("passed")),
    )


def _line(endpoint: Endpoint, channels: int) -> ServerLine:
    word, kind, icon = _tested(endpoint)
    return ServerLine(
        endpoint=endpoint,
        address=address_of(endpoint),
        channels=channels,
        word=word,
        kind=kind,
        icon=icon,
    )


def _tested(endpoint: Endpoint) -> tuple[str, str, str]:
    if endpoint.shown_key and endpoint.shown_key != endpoint.host_key:
        what = what_it_shows(endpoint)
        word = f"{what} {'changed' if endpoint.host_key else 'to approve'}".capitalize()
        return word, "danger" if endpoint.host_key else "warning", "key-round"
    if endpoint.tested_at is None:
        return "Not tested", "neutral", "circle-dot"
    if endpoint.profile.get("passed"):
        return "Works", "success", "circle-check"
    return "Test failed", "danger", "circle-x"


def _steps(profile: Mapping[str, Any], *, running: bool) -> list[TestStep]:
    found = profile.get("steps", [])
    last = len(found) - 1
    return [
        TestStep(
            name=step["name"],
            seconds=None if running and number == last else step["seconds"],
            fault=step["fault"],
        )
        for number, step in enumerate(found)
    ]


def _can(endpoint: Endpoint) -> Mapping[str, Any]:
    found: Mapping[str, Any] = endpoint.profile.get("profile", {})
    return found


def _told(key: str) -> str:
    return fingerprint(key) if key else ""
