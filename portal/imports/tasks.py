"""The jobs that imports offer."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.sources import NO_SOURCES, FileSources
from portal.imports import applying, orders, runs
from portal.imports.creating.making import create_and_import
from portal.imports.creating.orders import CREATE, SURVEY, may_create
from portal.imports.creating.surveys import survey_file
from portal.imports.fetching import OPEN_NET, Trust
from portal.imports.offered import may_take
from portal.imports.outside import Outside
from portal.imports.receiving.fetched import fetch_file
from portal.imports.receiving.orders import FETCH, may_fetch
from portal.imports.rights import may_run_undo, may_see, may_try
from portal.imports.scheduled import SCHEDULING
from portal.imports.words import KIND
from portal.jobs.kinds import BULK, Args, Kind, Scheduling
from portal.jobs.models import Job
from portal.jobs.work import Work
from portal.rows.processors import Processors
from portal.runtime import Runtime

WALL_LIMIT = timedelta(hours=24)
Find = Callable[[Runtime], Processors]
Task = Callable[..., None]
MayRun = Callable[[Session, Actor, Args], bool]


def kinds_for(
    find: Find, *, trust: Trust = OPEN_NET, sources: FileSources = NO_SOURCES
) -> tuple[Kind, ...]:
    """The kinds of jobs of imports, done with the processors that `find` finds.

    Files at addresses are fetched from whom `trust` says; `sources` are files of other areas.
    """
    run_import = partial(runs.run_import, outside=Outside(trust=trust, sources=sources))
    may_bring = partial(_may_bring, sources)

    def kind(
        name: str,
        label: str,
        task: Task,
        *,
        may_run: MayRun = may_try,
        schedule: Scheduling | None = None,
    ) -> Kind:
        return Kind(
            name=name,
            area=KIND,
            label=label,
            queue=BULK,
            run=partial(_run, find, task),
            may_view=_may_view,
            may_run=may_run,
            wall_limit=WALL_LIMIT,
            schedule=schedule,
            page=_page,
            page_label="Show the import",
        )

    return (
        kind(orders.RUN, "Import", run_import, may_run=may_bring, schedule=SCHEDULING),
        kind(orders.PLAN, "Dry run of an import", run_import, may_run=may_bring),
        kind(orders.GO_ON, "Go on with an import", runs.go_on),
        kind(orders.APPLY, "Apply a plan", applying.apply_plan),
        kind(orders.UNDO, "Undo an import", runs.undo, may_run=may_run_undo),
        kind(orders.REDO, "Do an import again", runs.redo),
        kind(CREATE, "Create a table", create_and_import, may_run=_may_create),
        SURVEYING,
        _fetching(trust),
    )


def _run(find: Find, task: Task, work: Work, **args: Any) -> None:
    task(work, processors=find(work.runtime), **args)


def _may_bring(sources: FileSources, session: Session, actor: Actor, args: Args) -> bool:
    """Whether `actor` may take the file from where it is, and import it."""
    there = may_take(sources, actor, str(args.get("path", "")))
    return there and may_try(session, actor, args)


def _page(actor: Actor, job: Job) -> str:
    return f"/imports/{job.id}" if actor.may(Permission.IMPORTS_RUN) else ""


def _may_create(_session: Session, actor: Actor, _args: Args) -> bool:
    return may_create(actor)


def _page_of_survey(actor: Actor, job: Job) -> str:
    mine = may_create(actor) and actor.user_id == job.requester_id
    return f"/imports/create-table/{job.id}" if mine else ""


def _may_view(session: Session, actor: Actor, job: Job) -> bool:
    place, table = str(job.args.get("place", "")), str(job.args.get("table", ""))
    return may_see(session, actor, place=place, table=table)


def _fetching(trust: Trust) -> Kind:
    return Kind(
        name=FETCH,
        area=KIND,
        label="Fetch a file",
        queue=BULK,
        run=partial(fetch_file, trust=trust),
        may_view=lambda _session, _actor, _job: False,  # but one's own, and who sees all jobs
        may_run=lambda _session, actor, _args: may_fetch(actor),
        wall_limit=WALL_LIMIT,
        page=_page_of_fetch,
        page_label="Show the file",
    )


def _page_of_fetch(actor: Actor, job: Job) -> str:
    mine = may_fetch(actor) and actor.user_id == job.requester_id
    return f"/imports/fetched/{job.id}" if mine else ""


SURVEYING = Kind(
    name=SURVEY,
    area=KIND,
    label="Look through a file",
    queue=BULK,
    run=survey_file,
    may_view=lambda _session, actor, _job: may_create(actor),
    may_run=_may_create,
    wall_limit=WALL_LIMIT,
    page=_page_of_survey,
    page_label="Show the table that is proposed",
)
