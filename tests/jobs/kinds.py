"""Kinds of jobs for tests of what people see of jobs; their tasks do next to nothing."""

import threading
from typing import Any

from portal.accounts.permissions import Role
from portal.jobs.kinds import BULK, Choice, Kind, Kinds, Order, Scheduling
from portal.jobs.work import Work

SECRET = "a detail that clerks need not see"


def nothing(work: Work, **args: Any) -> None:
    """Do nothing at all."""


def fail(work: Work, **args: Any) -> None:
    """Fail in a way that nobody foresaw."""
    raise RuntimeError(SECRET)


def mend(work: Work, **args: Any) -> None:
    """Fail at the first attempt, succeed at the second, with a word in between."""
    if work.claim.attempt == 1:
        raise RuntimeError(SECRET)
    work.progress(stage="Mending")


def talk(work: Work, **args: Any) -> dict[str, Any]:
    """Say how far it is, write a line, end well."""
    work.progress(stage="Writing pages", done=3, total=4, unit="pages", message="nearly")
    work.log("three pages are written")
    return {"pages": 3}


def stay(work: Work, **args: Any) -> None:
    """Say how far it is and go no further until it is cancelled."""
    work.progress(stage="Writing pages", done=3, total=4, unit="pages")
    while True:
        work.checkpoint()
        threading.Event().wait(0.02)


def may_run(_session: Any, actor: Any, _args: Any) -> bool:
    return actor.user_id is None or Role.OPERATOR in actor.roles or Role.ADMIN in actor.roles


def _kind(name: str, run: Any, **values: Any) -> Kind:
    return Kind(
        name=f"test.{name}",
        area="test",
        label=f"Test {name}",
        queue=BULK,
        run=run,
        may_view=lambda _session, actor, _job: Role.OPERATOR in actor.roles,
        may_run=may_run,
        **values,
    )


KINDS = Kinds(
    (
        _kind(
            "nothing",
            nothing,
            schedule=Scheduling(
                choices=lambda _session, _actor: [Choice(args={"thing": "one"}, label="one")],
                order=lambda _session, args: Order(
                    title=f"Nothing with {args['thing']}",
                    subject_kind="thing",
                    subject_id=args["thing"],
                ),
            ),
        ),
        _kind("fail", fail),
        _kind("talk", talk),
        _kind("mend", mend),
        _kind("stay", stay),
    )
)
