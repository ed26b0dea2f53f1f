"""What the processes of Portal are put together from: the kinds of jobs of all areas."""

from portal.artifacts.owners import OwnerKinds
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.projects.tasks import EXPORT, PROJECT_OWNER
from portal.runtime import Runtime
from portal.settings import Settings

KINDS = Kinds((EXPORT,))
OWNERS = OwnerKinds((PROJECT_OWNER,))


def open_job_engine(settings: Settings) -> JobEngine:
    """The engine of a process without Flask."""
    return JobEngine(runtime=Runtime.open(settings), kinds=KINDS)
