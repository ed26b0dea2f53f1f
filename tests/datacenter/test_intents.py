"""Intents: one at a time for a file, taken over whole, never carried out by two."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.datacenter.intents import DatabaseIntents, IntentLostError
from portal.datacenter.service import finish_intended, open_data_center, sweep
from portal.datacenter.steps import Act, Intent, Kind, Step
from portal.errors import ConflictError, NotFoundError
from portal.runtime import Runtime
from tests.datacenter.scenes import lay, lying


@pytest.fixture
def intents(runtime: Runtime) -> DatabaseIntents:
    return DatabaseIntents(runtime.sessions.begin, clock=runtime.clock)


def make_intent(name: str = "1", **values: Any) -> Intent:
    step = Step(act=Act.MOVE, source="x.csv", target="finished/x.csv")
    defaults = {"occasion": name, "kind": Kind.DISTRIBUTION, "subject": "x", "steps": (step,)}
    return Intent(**{"id": name, **defaults, **values})


def test_an_intent_comes_back_as_it_was_given(intents: DatabaseIntents) -> None:
    given = make_intent(detail={"where": {"original": "finished/x.csv"}})
    intents.open(given)
    found = intents.find("1")
    assert found is not None
    assert (found.intent, found.result) == (given, None)


def test_a_second_intent_for_the_same_file_waits(intents: DatabaseIntents) -> None:
    intents.open(make_intent("1"))
    with pytest.raises(ConflictError, match="just being moved"):
        intents.open(make_intent("2"))


def test_when_one_is_done_the_next_may_come(intents: DatabaseIntents) -> None:
    intents.done(intents.open(make_intent("1")), {})
    assert intents.open(make_intent("2")).intent.id == "2"


def test_the_same_occasion_is_kept_once(intents: DatabaseIntents) -> None:
    intents.open(make_intent("1", occasion="job"))
    assert intents.open(make_intent("2", occasion="job")).intent.id == "1"


def test_whoever_was_overtaken_must_stop(intents: DatabaseIntents) -> None:
    mine = intents.open(make_intent())
    theirs = intents.take("1")
    with pytest.raises(IntentLostError):
        intents.keep(mine)
    with pytest.raises(IntentLostError):
        intents.done(mine, {})
    intents.done(theirs, {})


def test_what_is_done_cannot_be_taken_on(intents: DatabaseIntents) -> None:
    intents.done(intents.open(make_intent()), {})
    with pytest.raises(NotFoundError):
        intents.take("1")


def test_no_file_moves_while_the_storage_does(intents: DatabaseIntents) -> None:
    moving = {"old": "/a", "new": "/b", "move": True, "overwrite": False}
    intents.open(make_intent("1", kind=Kind.STORAGE, subject="*", detail=moving))
    with pytest.raises(ConflictError, match="storage is being moved"):
        intents.open(make_intent("2"))


def test_the_storage_stays_while_a_file_moves(intents: DatabaseIntents) -> None:
    intents.open(make_intent("1"))
    moving = {"old": "/a", "new": "/b", "move": True, "overwrite": False}
    with pytest.raises(ConflictError, match="Files are just being moved"):
        intents.open(make_intent("2", kind=Kind.STORAGE, subject="*", detail=moving))


def test_what_somebody_is_at_work_on_is_left_to_him(
    runtime: Runtime, intents: DatabaseIntents
) -> None:
    intents.open(make_intent())
    assert finish_intended(runtime) == 0


def test_one_intent_that_cannot_be_finished_keeps_no_other_waiting(
    runtime: Runtime, intents: DatabaseIntents
) -> None:
    storage = open_data_center(runtime).storage
    lay(storage, {"y.csv": b"y\n", "z.csv": b"z\n"})
    good = Step(act=Act.MOVE, source="y.csv", target="finished/y.csv")
    broken = Step(act=Act.MOVE, source="z.csv", target="y.csv/impossible")
    intents.open(make_intent("1", subject="z", steps=(broken,)))
    intents.open(make_intent("2", subject="y", steps=(good,)))
    assert finish_intended(runtime, quiet_seconds=-1) == 1
    assert lying(storage) == {"finished/y.csv": b"y\n", "z.csv": b"z\n"}


def test_work_folders_that_nobody_needs_are_swept(
    runtime: Runtime, intents: DatabaseIntents
) -> None:
    storage = open_data_center(runtime).storage
    lay(storage, {".work/stray/finished": b"x\n", ".work/1/finished": b"x\n"})
    intents.open(make_intent("1"))
    sweep(runtime)
    assert there_in(storage) == {"1", "stray"}
    sweep(later(runtime))
    assert there_in(storage) == {"1"}


def there_in(storage: Path) -> set[str]:
    return {path.name for path in (storage / ".work").iterdir()}


def later(runtime: Runtime) -> Runtime:
    """The same portal two hours later."""
    return replace(runtime, clock=lambda: runtime.clock() + timedelta(hours=2))
