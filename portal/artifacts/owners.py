"""Who may fetch an artifact: its owner's kind decides. Areas offer kinds of owners."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor


@dataclass(frozen=True, kw_only=True)
class OwnerKind:
    """What may own artifacts; `may_download(session, actor, owner_id)` is asked each time.

    Where files of one owner differ in what they show, `may_see(session, actor, job_id)` is asked
    besides, with the job that made the file; one whose job is not known is for nobody then.
    """

    name: str
    may_download: Callable[[Session, Actor, str], bool]
    may_see: Callable[[Session, Actor, str], bool] | None = None


class OwnerKinds:
    """A frozen set of owner kinds, found by name."""

    def __init__(self, kinds: Iterable[OwnerKind]) -> None:
        found = list(kinds)
        self._kinds = MappingProxyType({kind.name: kind for kind in found})
        if len(self._kinds) != len(found):
            raise ValueError("two kinds of owner have the same name")

    def may_download(
        self,
        session: Session,
        *,
        actor: Actor,
        owner_kind: str,
        owner_id: str,
        job_id: str | None = None,
    ) -> bool:
        """Say whether `actor` may fetch what this owner has; an unknown kind lets nobody."""
        kind = self._kinds.get(owner_kind)
        if kind is None or not kind.may_download(session, actor, owner_id):
            return False
        if kind.may_see is None:
            return True
        return job_id is not None and kind.may_see(session, actor, job_id)
