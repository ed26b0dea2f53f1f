"""`portal example`: content to look around in. Each area adds its part here."""

from pathlib import Path

from portal.accounts.permissions import Actor, Permission
from portal.projects.load_order import LoadOrder, OnConflict
from portal.projects.loading import load_folder
from portal.projects.models import Policy
from portal.runtime import Runtime
from portal.tables.example import load_tables

PROJECT = "example-handbook"
TITLE = "Handbook of the registry (example)"
_HANDBOOK = Path(__file__).parent / "example_content" / "handbook"


def load_example(runtime: Runtime, actor: Actor) -> str:
    """Load the example project as `actor` and return its id; administrators get tables, too.

    What is there already stays as it is, with what people changed in it.
    """
    order = LoadOrder(
        folder=_HANDBOOK,
        project_id=PROJECT,
        title=TITLE,
        policy=Policy.OPEN,
        on_conflict=OnConflict.SKIP,
    )
    project_id = load_folder(runtime, order=order, actor=actor).project_id
    if actor.may(Permission.TABLES_GRANT):
        load_tables(runtime, actor)
    return project_id
