"""What a reference to a project or a user could mean, for those who repair rows."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from portal.accounts.permissions import Permission
from portal.accounts.service import list_users
from portal.projects.service import list_projects
from portal.rows.processors import SUGGESTED, Acting
from portal.tabular.fields import Choice


def suggest_projects(session: Session, text: str, *, acting: Acting) -> Sequence[Choice]:
    """Projects that the actor may see, by id."""
    found = list_projects(session, actor=acting.actor, text=text, limit=SUGGESTED)
    return [Choice(value=line.project.id, label=line.project.title) for line in found]


def suggest_users(session: Session, text: str, *, acting: Acting) -> Sequence[Choice]:
    """Users by name; only who manages them, or all projects, is told who there is."""
    actor = acting.actor
    if not (actor.may(Permission.USERS_MANAGE) or actor.may(Permission.PROJECTS_MANAGE_ALL)):
        return []
    users = list_users(session, text=text)[:SUGGESTED]
    return [Choice(value=user.name, label=user.display_name) for user in users]
