"""The jobs that the data centre offers."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.datacenter import orders, runs
from portal.errors import NotFoundError
from portal.jobs.kinds import BULK, Args, Kind
from portal.jobs.models import Job
from portal.jobs.work import Work
from portal.rows.processors import Processors
from portal.runtime import Runtime

AREA = "datacenter"
WALL_LIMIT = timedelta(hours=24)

Find = Callable[[Runtime], Processors]
Task = Callable[..., None]


def kinds_for(find: Find, *, declared: Processors) -> tuple[Kind, ...]:
    """The data centre's kinds of jobs, done with the processors that `find` finds."""

    def kind(name: str, label: str, task: Task, permission: Permission) -> Kind:
        return Kind(
            name=name,
            area=AREA,
            label=label,
            queue=BULK,
            run=partial(_run, find, task),
            may_view=_may_view,
            may_run=partial(_may_run, declared, permission),
            wall_limit=WALL_LIMIT,
            page=_page,
            page_label="Show the batch",
        )

    return (
        kind(orders.PROCESS, "Process file", runs.process_file, Permission.IMPORTS_RUN),
        kind(orders.PLAN, "Dry run", runs.process_file, Permission.DATACENTER_EDIT),
        kind(orders.GO_ON, "Retry rows", runs.go_on, Permission.IMPORTS_RUN),
        kind(orders.UNDO, "Undo batch", runs.undo, Permission.IMPORTS_RUN),
    )


def _run(find: Find, task: Task, work: Work, **args: Any) -> None:
    task(work, processors=find(work.runtime), **args)


def _page(actor: Actor, job: Job) -> str:
    return f"/datacenter/runs/{job.id}" if actor.may(Permission.DATACENTER_VIEW) else ""


def _may_view(_session: Session, actor: Actor, _job: Job) -> bool:
    return actor.may(Permission.DATACENTER_VIEW)


def _may_run(
    declared: Processors, permission: Permission, _session: Session, actor: Actor, args: Args
) -> bool:
    """What is asked for, and what a declared processor needs besides; the rest is per row."""
    if not actor.may(permission):
        return False
    try:
        needed = declared.get(str(args.get("processor", ""))).permission
    except NotFoundError:  # one for a table, whose grants the batch looks at
        return True
    return needed is None or actor.may(needed)
