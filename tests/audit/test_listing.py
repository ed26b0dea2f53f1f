"""Finding entries of the audit log."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from portal.accounts.permissions import Actor
from portal.audit.listing import LISTED, Wanted, list_entries
from portal.audit.models import AuditEntry
from portal.audit.service import record
from portal.runtime import Runtime

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def entries(runtime: Runtime) -> None:
    rows: Sequence[tuple[str, str, str, str, str, dict[str, Any]]] = (
        ("anna", "user.create", "user", "1", "192.0.2.1", {"name": "Müller"}),
        ("anna", "user.disable", "user", "2", "192.0.2.1", {}),
        ("bert", "users.import", "user", "2", "198.51.100.7", {}),
        ("bert", "project.export", "project", "atlas", "192.0.2.1", {"title": "100%"}),
    )
    with runtime.sessions.begin() as session:
        for index, (name, action, kind, object_id, address, detail) in enumerate(rows):
            record(
                session,
                actor=Actor(user_id=index, name=name),
                action=action,
                object_kind=kind,
                object_id=object_id,
                now=NOW,
                address=address,
                detail=detail,
            )
            session.flush()


def found(runtime: Runtime, **words: str) -> list[str]:
    with runtime.reads() as session:
        return [entry.action for entry in list_entries(session, Wanted.from_words(words))]


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, ["project.export", "users.import", "user.disable", "user.create"]),
        ({"actor": "anna"}, ["user.disable", "user.create"]),
        ({"actor": "ann"}, []),
        ({"action": "user.create"}, ["user.create"]),
        ({"action": "user"}, ["user.disable", "user.create"]),
        ({"object": "project"}, ["project.export"]),
        ({"object": "user:2"}, ["users.import", "user.disable"]),
        ({"text": "198.51"}, ["users.import"]),
        ({"text": "MÜLLER"}, []),
        ({"text": "Müller"}, ["user.create"]),
        ({"text": "atlas"}, ["project.export"]),
        ({"text": "100%"}, ["project.export"]),
        ({"text": "_"}, []),
        ({"actor": "anna", "text": "disable"}, ["user.disable"]),
        ({"before": "x"}, ["project.export", "users.import", "user.disable", "user.create"]),
    ],
)
def test_entries_are_found_newest_first(
    runtime: Runtime, words: dict[str, str], expected: list[str]
) -> None:
    assert found(runtime, **words) == expected


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize("before", ["9" * 40, "²", "-1", "1.5", "' OR 1=1"])
def test_a_strange_place_to_begin_is_harmless(runtime: Runtime, before: str) -> None:
    assert len(found(runtime, before=before)) == 4


def test_pages_follow_each_other_without_gap_or_overlap(runtime: Runtime) -> None:
    fill(runtime, LISTED * 2 + 10)
    seen: list[int] = []
    words: dict[str, str] = {}
    with runtime.reads() as session:
        while batch := list_entries(session, Wanted.from_words(words)):
            seen.extend(entry.id for entry in batch)
            words = {"before": str(batch[-1].id)}
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == LISTED * 2 + 10


def test_the_words_of_an_address_come_back_as_they_were() -> None:
    wanted = Wanted.from_words({"actor": " anna & co ", "text": "100%", "other": "x"})
    assert wanted.words(before=7) == "actor=anna+%26+co&text=100%25&before=7"
    assert wanted.filtered
    assert not Wanted.from_words({"before": "7"}).filtered


def fill(runtime: Runtime, count: int) -> None:
    row = {
        "at": NOW,
        "actor_name": "anna",
        "action": "thing.change",
        "object_kind": "thing",
        "object_id": "1",
        "address": "",
        "detail": {},
    }
    with runtime.sessions.begin() as session:
        session.execute(insert(AuditEntry), [row] * count)
