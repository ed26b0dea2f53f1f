"""`portal example`: content to look around in. Each area adds its part here."""

from pathlib import Path

from portal.accounts.permissions import Actor, Permission
from portal.assembly import KINDS, processors_for
from portal.datacenter.example import load_files
from portal.datacenter.orders import Asking
from portal.delivery.example import load_channel
from portal.imports.example import load_import
from portal.jobs.engine import JobEngine
from portal.jobs.runner import perform
from portal.projects.load_order import LoadOrder, OnConflict
from portal.projects.loading import load_folder
from portal.projects.models import Policy
from portal.rows.batch_kinds import Wish
from portal.runtime import Runtime
from portal.tables.example import load_tables

PROJECT = "example-handbook"
TITLE = "Handbook of the registry (example)"
_CONTENT = Path(__file__).parent / "example_content"
_NEEDED = (
    Permission.USERS_MANAGE,
    Permission.TABLES_GRANT,
    Permission.IMPORTS_RUN,
    Permission.DELIVERY_OPERATE,
)


def load_example(runtime: Runtime, actor: Actor) -> str:
    """Load the example project as `actor` and return its id.

    Administrators get tables, files of the data centre, an import and a channel, too. What is there
    already stays as it is, with what people changed in it.
    """
    order = LoadOrder(
        folder=_CONTENT / "handbook",
        project_id=PROJECT,
        title=TITLE,
        policy=Policy.OPEN,
        on_conflict=OnConflict.SKIP,
    )
    project_id = load_folder(runtime, order=order, actor=actor).project_id
    if all(actor.may(permission) for permission in _NEEDED):
        load_tables(runtime, actor)
        _load_files(runtime, actor)
        _load_import(runtime, actor)
        load_channel(runtime, actor)
    return project_id


def _load_files(runtime: Runtime, actor: Actor) -> None:
    asking = Asking(
        actor=actor,
        now=runtime.clock(),
        kinds=KINDS,
        waker=lambda _queue, _job_id: False,
        processors=processors_for(runtime),
    )
    _perform(runtime, load_files(runtime, _CONTENT / "datacenter", asking=asking))


def _load_import(runtime: Runtime, actor: Actor) -> None:
    wish = Wish(
        actor=actor,
        now=runtime.clock(),
        kinds=KINDS,
        waker=lambda _queue, _job_id: False,
        processors=processors_for(runtime),
        runtime=runtime,
    )
    _perform(runtime, load_import(_CONTENT / "imports", wish=wish))


def _perform(runtime: Runtime, job_id: str | None) -> None:
    """The job is done here and now, so that no worker needs to run."""
    if job_id is not None:
        perform(job_id, engine=JobEngine(runtime=runtime, kinds=KINDS))
