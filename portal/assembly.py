"""What the processes of Portal are put together from: kinds of jobs and processors of all rooms."""

from portal.accounts.processors import USERS
from portal.artifacts.owners import OwnerKinds
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.plugins import load_plugins
from portal.projects.processors import PROCESSORS as OF_PROJECTS
from portal.projects.tasks import EXPORT, PROJECT_OWNER
from portal.rows.processors import Processors
from portal.runtime import Runtime
from portal.settings import Settings

KINDS = Kinds((EXPORT,))
OWNERS = OwnerKinds((PROJECT_OWNER,))
SHIPPED = (USERS, *OF_PROJECTS)
PLUGINS = load_plugins(taken=[processor.name for processor in SHIPPED])
PROCESSORS = Processors((*SHIPPED, *PLUGINS.processors))


def open_job_engine(settings: Settings) -> JobEngine:
    """The engine of a process without Flask."""
    return JobEngine(runtime=Runtime.open(settings), kinds=KINDS)
