"""The jobs that the data centre offers."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.datacenter import orders, runs
from portal.jobs.kinds import BULK, Args, Kind, Task
from portal.jobs.models import Job
from portal.rows.processors import Processors

AREA = "datacenter"
WALL_LIMIT = timedelta(hours=24)


def kinds_for(processors: Processors) -> tuple[Kind, ...]:
    """The data centre's kinds of jobs, done with `processors`."""

    def kind(name: str, label: str, task: Callable[..., None], permission: Permission) -> Kind:
        run: Task = partial(task, processors=processors)
        return Kind(
            name=name,
            area=AREA,
            label=label,
            queue=BULK,
            run=run,
            may_view=_may_view,
            may_run=partial(_may_run, processors, permission),
            wall_limit=WALL_LIMIT,
        )

    return (
        kind(orders.PROCESS, "Process file", runs.process_file, Permission.IMPORTS_RUN),
        kind(orders.PLAN, "Dry run", runs.process_file, Permission.DATACENTER_EDIT),
        kind(orders.GO_ON, "Retry rows", runs.go_on, Permission.IMPORTS_RUN),
        kind(orders.UNDO, "Undo batch", runs.undo, Permission.IMPORTS_RUN),
    )


def _may_view(_session: Session, actor: Actor, _job: Job) -> bool:
    return actor.may(Permission.DATACENTER_VIEW)


def _may_run(
    processors: Processors, permission: Permission, _session: Session, actor: Actor, args: Args
) -> bool:
    """What is asked for, and what the processor needs besides; the records' rights are per row."""
    name: Any = args.get("processor")
    if not actor.may(permission):
        return False
    needed = processors.get(name).permission if name else None
    return needed is None or actor.may(needed)
