"""What the processes of Portal are put together from: kinds of jobs and processors of all rooms."""

from portal.accounts.processors import USERS
from portal.artifacts.handouts import Handouts, handout_of_artifacts
from portal.artifacts.intakes import Intakes
from portal.artifacts.owners import OwnerKinds
from portal.artifacts.sources import FileSources
from portal.datacenter.batch_kind import DATACENTER
from portal.datacenter.handout import FINISHED
from portal.datacenter.intake import INTAKE as INTAKE_OF_DATA_CENTER
from portal.datacenter.tasks import kinds_for as kinds_of_data_center
from portal.delivery.carrying import handing_kind
from portal.delivery.fetched import FETCHED
from portal.delivery.tasks import kinds_for as kinds_of_delivery
from portal.imports.batch_kind import IMPORTS
from portal.imports.tasks import kinds_for as kinds_of_imports
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.plugins import load_plugins
from portal.projects.processors import PROCESSORS as OF_PROJECTS
from portal.projects.tasks import EXPORT, PROJECT_OWNER
from portal.rows.batch_kinds import BatchKinds
from portal.rows.processors import Processors
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.processors import TableProcessors
from portal.tables.tasks import EXPORT as TABLE_EXPORT
from portal.tables.tasks import TABLE_OWNER

BATCH_KINDS = BatchKinds((DATACENTER, IMPORTS))
OWNERS = OwnerKinds(
    (
        PROJECT_OWNER,
        TABLE_OWNER,
    )
)
SOURCES = FileSources((FETCHED,))
INTAKES = Intakes((INTAKE_OF_DATA_CENTER,))
HANDOUTS = Handouts((handout_of_artifacts(OWNERS), FINISHED))
SHIPPED = (USERS, *OF_PROJECTS)
PLUGINS = load_plugins(taken=[processor.name for processor in SHIPPED])
PROCESSORS = Processors((*SHIPPED, *PLUGINS.processors))


def processors_for(runtime: Runtime) -> Processors:
    """All processors: those of the rooms and of other packages, and one for each table."""
    return Processors((*SHIPPED, *PLUGINS.processors), sources=(TableProcessors(runtime),))


KINDS = Kinds(
    (
        EXPORT,
        TABLE_EXPORT,
        *kinds_of_data_center(processors_for, declared=PROCESSORS),
        *kinds_of_imports(processors_for, sources=SOURCES),
        *kinds_of_delivery(INTAKES),
        handing_kind(HANDOUTS),
    )
)


def open_job_engine(settings: Settings) -> JobEngine:
    """The engine of a process without Flask."""
    return JobEngine(runtime=Runtime.open(settings), kinds=KINDS)
