"""Reading the audit log: filtered, newest first, a page at a time by key."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select
from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry

LISTED = 100
_LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody looks for; empty means anything. `before` is the id where the page begins."""

    actor: str = ""
    action: str = ""
    object: str = ""
    text: str = ""
    before: int | None = None

    @classmethod
    def from_words(cls, words: Mapping[str, str]) -> Self:
        """Take a bookmarkable address's words; what makes no sense is as if it were not there."""
        before = words.get("before", "")
        return cls(
            **{name: words.get(name, "").strip() for name in _FILTERS},
            before=min(int(before), _LARGEST_KEY)
            if before.isascii() and before.isdigit()
            else None,
        )

    @property
    def filtered(self) -> bool:
        """Whether anything is looked for."""
        return any(getattr(self, name) for name in _FILTERS)

    def words(self, *, before: int | None = None) -> str:
        """The address's words for the same filters, from the entry `before` on."""
        words = {name: getattr(self, name) for name in _FILTERS if getattr(self, name)}
        return urlencode(words if before is None else words | {"before": before})


_FILTERS = ("actor", "action", "object", "text")


def list_entries(session: Session, wanted: Wanted) -> Sequence[AuditEntry]:
    """At most `LISTED` entries, newest first.

    `object` is a kind (`user`) or a kind and an id (`user:7`); an action that ends in a dot or
    names no verb means all of its kind (`user` finds `user.create`).
    """
    query = _filtered(select(AuditEntry), wanted)
    return session.scalars(query.order_by(AuditEntry.id.desc()).limit(LISTED)).all()


def _filtered(query: Select[AuditEntry], wanted: Wanted) -> Select[AuditEntry]:
    if wanted.before is not None:
        query = query.where(AuditEntry.id < wanted.before)
    if wanted.actor:
        query = query.where(AuditEntry.actor_name == wanted.actor)
    if wanted.action:
        kind = wanted.action.rstrip(".")
        query = query.where(
            or_(
                AuditEntry.action == kind,
                func.substr(AuditEntry.action, 1, len(kind) + 1) == f"{kind}.",
            )
        )
    if wanted.object:
        query = _of_object(query, wanted.object)
    if wanted.text:
        query = query.where(_contains(wanted.text))
    return query


def _of_object(query: Select[AuditEntry], wanted: str) -> Select[AuditEntry]:
    kind, _, object_id = wanted.partition(":")
    query = query.where(AuditEntry.object_kind == kind)
    return query.where(AuditEntry.object_id == object_id) if object_id else query


def _contains(text: str) -> ColumnElement[bool]:
    """One comparison for all columns, so that a rare text is sought quickly."""
    as_json = json.dumps(text)[1:-1]  # `detail` is stored with escapes
    plain = (
        AuditEntry.actor_name
        + "\n"
        + AuditEntry.action
        + "\n"
        + AuditEntry.object_id
        + "\n"
        + AuditEntry.address
    )
    whole = plain + "\n" + cast(AuditEntry.detail, String)
    found = whole.icontains(as_json, autoescape=True)
    return found if as_json == text else or_(found, plain.icontains(text, autoescape=True))
