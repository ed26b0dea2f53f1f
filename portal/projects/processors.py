"""What of projects can be made, changed and removed by the rows of a file."""

from portal.projects.member_records import MEMBERS
from portal.projects.page_records import PAGES
from portal.projects.project_records import PROJECTS

PROCESSORS = (PROJECTS, MEMBERS, PAGES)
