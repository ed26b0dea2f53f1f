"""`portal example`: content to look around in. Each area adds its part here."""

from pathlib import Path

from portal.accounts.permissions import Actor
from portal.projects.load_order import LoadOrder, OnConflict
from portal.projects.loading import load_folder
from portal.projects.models import Policy
from portal.runtime import Runtime

PROJECT = "example-handbook"
TITLE = "Handbook of the registry (example)"
_HANDBOOK = Path(__file__).parent / "example_content" / "handbook"


def load_example(runtime: Runtime, actor: Actor) -> str:
    """Load the example project as `actor` and return its id.

    Where it is there already it stays as it is, with what people changed in it.
    """
    order = LoadOrder(
        folder=_HANDBOOK,
        project_id=PROJECT,
        title=TITLE,
        policy=Policy.OPEN,
        on_conflict=OnConflict.SKIP,
    )
    return load_folder(runtime, order=order, actor=actor).project_id
