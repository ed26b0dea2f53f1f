"""Answering polls of a job's status: everyone who watches shares one look at it.

Who asks, and whether he may see the job, is found out for every poll. What the job shows is looked
at most four times a second in a process, and a change is rendered once for all who watch it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from portal.accounts.permissions import Actor, Permission
from portal.brief import Brief
from portal.jobs import queries, views
from portal.jobs.glances import Glance, glance
from portal.jobs.kinds import Kinds
from portal.jobs.views import JobView
from portal.runtime import Runtime

FRESH_SECONDS = 0.25
TOKEN = "a-form-token-comes-here"  # noqa: S105 (stands where each watcher's own is put in)


@dataclass(frozen=True, kw_only=True)
class PollAnswer:
    """The tag of what is shown; the fragment, or None where the asker has it already."""

    tag: str
    body: str | None


class Watch:
    """Answers polls in one process. `render` makes the fragment, with TOKEN in its forms."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        looking: Engine,
        kinds: Kinds,
        version: str,
        render: Callable[[JobView], str],
    ) -> None:
        self._runtime = runtime
        self._looking = looking
        self._kinds = kinds
        self._version = version
        self._render = render
        self._glances: Brief[Glance | None] = Brief(seconds=FRESH_SECONDS)
        self._bodies: Brief[str] = Brief(seconds=FRESH_SECONDS)

    def answer(
        self,
        *,
        job_id: str,
        actor: Actor,
        csrf: str | None,
        known: str,
        token: Callable[[], str],
    ) -> PollAnswer | None:
        """Answer `actor`, who has what stands in `known` (If-None-Match).

        None where the answer takes more than this: an ended job, or one that is not obviously his.
        `csrf` is the secret of his cookie, `token()` makes a form's token of it.
        """
        seen = self._glances.get(job_id, lambda: self._look(job_id))
        if seen is None or not seen.active or not _his(actor, seen):
            return None
        tag = seen.tag(actor.user_id, csrf, self._version)
        if f'"{tag}"' in known:
            return PollAnswer(tag=tag, body=None)
        return PollAnswer(tag=tag, body=self._body(seen, actor).replace(TOKEN, token()))

    def _look(self, job_id: str) -> Glance | None:
        with self._looking.connect() as connection:
            row = queries.find_row(connection, job_id=job_id)
            return None if row is None else glance(connection, runtime=self._runtime, row=row)

    def _body(self, seen: Glance, actor: Actor) -> str:
        shared_by = "managers" if actor.may(Permission.JOBS_MANAGE_ALL) else actor.user_id
        return self._bodies.get(
            (seen.mark, shared_by), lambda: self._render(self._view(seen, actor))
        )

    def _view(self, seen: Glance, actor: Actor) -> JobView:
        with self._runtime.reads() as session:
            now = self._runtime.clock()
            return views.view_glance(session, kinds=self._kinds, actor=actor, seen=seen, now=now)


def _his(actor: Actor, seen: Glance) -> bool:
    if actor.may(Permission.JOBS_VIEW_ALL):
        return True
    return actor.user_id is not None and seen.row.requester_id == actor.user_id
