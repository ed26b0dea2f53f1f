"""People for tests: users with roles, seen as actors."""

from portal.accounts.actors import actor_of
from portal.accounts.models import User, UserRole
from portal.accounts.names import name_key
from portal.accounts.permissions import Actor, Role
from portal.projects.models import ProjectMember, ProjectRole
from portal.runtime import Runtime


class People:
    """Makes users and members."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def make(self, name: str, *roles: Role) -> Actor:
        with self._runtime.sessions.begin() as session:
            user = User(
                name=name,
                name_key=name_key(name),
                password_hash="-",
                created_at=self._runtime.clock(),
                roles=[UserRole(role=role) for role in roles or (Role.MEMBER,)],
            )
            session.add(user)
            session.flush()
            return actor_of(user)

    def join(self, actor: Actor, project_id: str, role: ProjectRole = ProjectRole.MEMBER) -> None:
        assert actor.user_id is not None
        with self._runtime.sessions.begin() as session:
            session.add(
                ProjectMember(
                    project_id=project_id,
                    user_id=actor.user_id,
                    role=role,
                    joined_at=self._runtime.clock(),
                )
            )
