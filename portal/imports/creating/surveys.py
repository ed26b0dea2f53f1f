"""What was found in a file that was gone through, as its job keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy.orm import Session

from portal.errors import ConflictError, NotFoundError
from portal.imports.creating.orders import SURVEY
from portal.imports.files import GONE, waiting_folder
from portal.imports.fitting import check_ending
from portal.jobs.models import Job
from portal.jobs.service import get_job
from portal.jobs.work import Work
from portal.rows.batch_kinds import Wish
from portal.rows.looking import chosen_format
from portal.rows.mapping import reading_of
from portal.tabular.formats import Format, find_format
from portal.tabular.survey.file import Survey, survey

STAGE = "Looking through the rows"


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """How a file was read, and what it holds."""

    format: Format
    survey: Survey

    def as_json(self) -> dict[str, Any]:
        """What `from_json` makes the same of."""
        return {"format": self.format.as_json(), "survey": self.survey.as_json()}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        found = Survey.from_json(said["survey"])
        return cls(format=Format.from_json(said["format"]), survey=found)


def read_as(path: Path, *, name: str, reading: Mapping[str, str]) -> Format:
    """How the file is read: as is found in it, but for what `reading` says.

    Raises InvalidError for a file that is none of rows.
    """
    check_ending(name)
    return chosen_format(find_format(path, name=name).format, reading_of(**reading))


def survey_file(
    work: Work, *, source: str, file_name: str, reading: Mapping[str, str], **_about: Any
) -> None:
    """Go through a file that waits. Raises ConflictError where it does not wait any more."""
    path = waiting_folder(work.runtime.settings) / source
    if not path.is_file():
        raise ConflictError(GONE)
    fmt = read_as(path, name=file_name, reading=reading)

    def told(rows: int) -> None:
        work.progress(stage=STAGE, done=rows, unit="rows")
        work.checkpoint()

    found = survey(path, fmt, folder=work.folder, told=told)
    with work.completion(Surveyed(format=fmt, survey=found).as_json()):
        pass


def get_survey(session: Session, *, wish: Wish, job_id: str) -> Job:
    """The job that goes through a file; raises NotFoundError where the actor sees none."""
    job = get_job(session, kinds=wish.kinds, actor=wish.actor, job_id=job_id)
    if job.kind != SURVEY:
        raise NotFoundError("There is no such file.")
    return job
