"""Who may fetch an artifact: its owner's kind decides. Areas offer kinds of owners."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor


@dataclass(frozen=True, kw_only=True)
class OwnerKind:
    """What may own artifacts; `may_download(session, actor, owner_id)` is asked each time."""

    name: str
    may_download: Callable[[Session, Actor, str], bool]


class OwnerKinds:
    """A frozen set of owner kinds, found by name."""

    def __init__(self, kinds: Iterable[OwnerKind]) -> None:
        found = list(kinds)
        self._kinds = MappingProxyType({kind.name: kind for kind in found})
        if len(self._kinds) != len(found):
            raise ValueError("two kinds of owner have the same name")

    def may_download(
        self, session: Session, *, actor: Actor, owner_kind: str, owner_id: str
    ) -> bool:
        """Say whether `actor` may fetch what this owner has; an unknown kind lets nobody."""
        kind = self._kinds.get(owner_kind)
        return kind is not None and kind.may_download(session, actor, owner_id)
