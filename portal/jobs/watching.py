"""Answering polls of a job's status: everyone who watches shares one look at it.

Who asks, and whether he may see the job, is found out for every poll. What the job shows is looked
at most four times a second in a process, and a change is rendered once for all who watch it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from portal.accounts.permissions import Actor, Permission
from portal.db import Reader
from portal.jobs import queries, views
from portal.jobs.glances import Glance, glance
from portal.jobs.kinds import Kinds
from portal.jobs.views import JobView
from portal.runtime import Runtime

FRESH_SECONDS = 0.25
KEPT = 512
TOKEN = "a-form-token-comes-here"  # noqa: S105 (stands where each watcher's own is put in)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PollAnswer:
    """The tag of what is shown; the fragment, or None where the asker has it already."""

    tag: str
    body: str | None


class Brief(Generic[T]):
    """Values that are kept for a moment, the newest `KEPT` of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of `key`, made anew where it is older than a moment."""
        now = time.monotonic()
        known = self._kept.get(key)
        if known is not None and known[0] > now:
            return known[1]
        value = make()
        self._kept[key] = (now + FRESH_SECONDS, value)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return value


class Watch:
    """Answers polls in one process. `render` makes the fragment, with TOKEN in its forms."""

    def __init__(
        self, *, runtime: Runtime, kinds: Kinds, version: str, render: Callable[[JobView], str]
    ) -> None:
        self._runtime = runtime
        self._kinds = kinds
        self._version = version
        self._render = render
        self._glances: Brief[Glance | None] = Brief()
        self._bodies: Brief[str] = Brief()

    def answer(
        self,
        reader: Reader,
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
        seen = self._glances.get(job_id, lambda: self._look(reader, job_id))
        if seen is None or not seen.active or not _his(actor, seen):
            return None
        tag = seen.tag(actor.user_id, csrf, self._version)
        if f'"{tag}"' in known:
            return PollAnswer(tag=tag, body=None)
        return PollAnswer(tag=tag, body=self._body(seen, actor).replace(TOKEN, token()))

    def _look(self, reader: Reader, job_id: str) -> Glance | None:
        row = queries.find_row(reader, job_id=job_id)
        return None if row is None else glance(reader, runtime=self._runtime, row=row)

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
