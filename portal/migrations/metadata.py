"""All models of the house in one metadata."""

from portal.accounts import models as accounts
from portal.artifacts import models as artifacts
from portal.audit import models as audit
from portal.db import Base
from portal.jobs import models as jobs
from portal.projects import models as projects

ROOMS = (accounts, artifacts, audit, jobs, projects)
METADATA = Base.metadata
