"""Finished files of the data centre, for areas that carry them on."""

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.handouts import FinishedFile, Handout
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import Folder
from portal.errors import NotFoundError
from portal.runtime import Runtime

NAME = "finished"


def find_finished(_session: Session, runtime: Runtime, actor: Actor, file: str) -> FinishedFile:
    """A file of the folder `finished`. Raises NotFoundError, also for who may not look there."""
    if not actor.may(Permission.DATACENTER_VIEW):
        raise NotFoundError("There is no such file, or you may not fetch it.")
    found = open_data_center(runtime).get_file(file, Folder.FINISHED)
    return FinishedFile(path=found.path, name=found.shown, size=found.entry.size)


FINISHED = Handout(name=NAME, find=find_finished)
