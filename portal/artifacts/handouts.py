"""Finished files that may leave an area as they are. Areas offer them, others carry them on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.owners import OwnerKinds
from portal.artifacts.service import artifact_path, get_artifact
from portal.errors import NotFoundError
from portal.runtime import Runtime

ARTIFACT = "artifact"


@dataclass(frozen=True, kw_only=True)
class FinishedFile:
    """A file that is not written to any more; people know it as `name`."""

    path: Path
    name: str
    size: int


Find = Callable[[Session, Runtime, Actor, str], FinishedFile]


@dataclass(frozen=True, kw_only=True)
class Handout:
    """Finished files of one kind; `name` begins their addresses.

    `find(session, runtime, actor, file)` raises NotFoundError where `actor` may not fetch it, too.
    It is asked again when the file is carried on.
    """

    name: str
    find: Find


class Handouts:
    """A frozen set of them, found by name."""

    def __init__(self, handouts: Iterable[Handout] = ()) -> None:
        found = list(handouts)
        self._handouts = MappingProxyType({handout.name: handout for handout in found})
        if len(self._handouts) != len(found):
            raise ValueError("two kinds of finished files have the same name")

    def get(self, name: str) -> Handout:
        """Those called `name`. Raises NotFoundError."""
        handout = self._handouts.get(name)
        if handout is None:
            raise NotFoundError("There is no such file, or you may not fetch it.")
        return handout


def deliver_base(actor: Actor, name: str) -> str:
    """What the addresses begin with where such files are handed over; empty for who may not."""
    return f"/delivery/deliver/{name}/" if actor.may(Permission.DELIVERY_OPERATE) else ""


def handout_of_artifacts(owners: OwnerKinds) -> Handout:
    """Artifacts, by their ids; their owners decide who may fetch them."""

    def find(session: Session, runtime: Runtime, actor: Actor, file: str) -> FinishedFile:
        artifact = get_artifact(
            session, owners=owners, actor=actor, artifact_id=file, now=runtime.clock()
        )
        path = artifact_path(runtime.settings, artifact.id)
        return FinishedFile(path=path, name=artifact.name, size=artifact.size)

    return Handout(name=ARTIFACT, find=find)
