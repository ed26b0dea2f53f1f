"""Files to look around in, as part of the example content: one that waits, one with bad rows."""

from pathlib import Path

from sqlalchemy import select

from portal.accounts.permissions import Actor
from portal.datacenter.acceptance import SAME_NAME, RefusedUploadError
from portal.datacenter.mapping import Wording, order_of
from portal.datacenter.orders import Asking, ask_to_process
from portal.datacenter.picking import pick_file, pick_processor
from portal.datacenter.service import open_data_center
from portal.datacenter.steps import Folder
from portal.datacenter.uploads import Upload, accept_upload
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Mode
from portal.runtime import Runtime

PEOPLE = "example-people.csv"
RECORDS = "example-records.csv"


def load_files(runtime: Runtime, folder: Path, *, asking: Asking) -> str | None:
    """Bring the files of `folder` in and ask for the people to be processed; returns the job's id.

    None where they were processed once already. What is there stays as it is. Raises what uploading
    and asking raise.
    """
    _bring(runtime, folder / RECORDS, asking.actor)
    if _was_processed(runtime):
        return None
    _bring(runtime, folder / PEOPLE, asking.actor)
    center = open_data_center(runtime)
    wording = Wording(processor=pick_processor(asking, "users"), mode=Mode.CREATE)
    order = order_of(pick_file(center, PEOPLE, folders=[Folder.ROOT]), wording)
    with runtime.sessions.begin() as session:
        return ask_to_process(session, order=order, center=center, asking=asking).job.id


def _bring(runtime: Runtime, path: Path, actor: Actor) -> None:
    with path.open("rb") as stream:
        try:
            accept_upload(runtime, upload=Upload(name=path.name, stream=stream), actor=actor)
        except RefusedUploadError as refused:
            if str(refused) != SAME_NAME:
                raise


def _was_processed(runtime: Runtime) -> bool:
    batch = PORTAL_LEDGER.batch
    with runtime.reads() as session:
        found = session.scalar(select(batch.c.id).where(batch.c.file_name == PEOPLE).limit(1))
    return found is not None
