"""All models of the house in one metadata."""

from portal.accounts import models as accounts
from portal.artifacts import models as artifacts
from portal.audit import models as audit
from portal.datacenter import models as datacenter
from portal.datacenter.rules import models as datacenter_rules
from portal.db import Base
from portal.delivery import models as delivery
from portal.jobs import models as jobs
from portal.projects import models as projects
from portal.rows import models as rows
from portal.tables import models as tables

ROOMS = (
    accounts,
    artifacts,
    audit,
    datacenter,
    datacenter_rules,
    delivery,
    jobs,
    projects,
    rows,
    tables,
)
METADATA = Base.metadata
