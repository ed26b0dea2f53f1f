"""What a worker does for a file: copy it, run its batch, put the results where they belong."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.datacenter.claims import release_file
from portal.datacenter.folders import DataCenter
from portal.datacenter.intents import find_intent
from portal.datacenter.logs import Event, Processed, append_event
from portal.datacenter.names import disk_name, shown_name, stem_of
from portal.datacenter.orders import ProcessOrder
from portal.datacenter.removed_records import RemovedRecords
from portal.datacenter.service import open_data_center
from portal.datacenter.sources import keep_source
from portal.datacenter.steps import Folder
from portal.jobs.work import Work
from portal.rows.batch import Batch, BatchOrder, BatchState
from portal.rows.engine import run_batch
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Mode, Processors
from portal.rows.results import write_results
from portal.rows.service import create_batch, get_batch
from portal.rows.undo import undo_batch

KIND = "datacenter"


def process_file(work: Work, *, processors: Processors, **args: Any) -> None:
    """Process a file, or try it out; a job that was cut short goes on where it stood."""
    order = ProcessOrder.from_args(args)
    center = _center(work)
    batch_id = _batch_of(work) or _take_in(work, order, center, processors)
    _run(work, center, batch_id=batch_id, processors=processors)


def go_on(work: Work, *, processors: Processors, batch_id: str, give_up: bool = False) -> None:
    """Do what is left of a batch, or (`give_up`) leave it and put its files where they belong."""
    center = _center(work)
    if give_up:
        with work.runtime.reads() as session:
            batch = get_batch(session, batch_id=batch_id)
        _settle(work, center, batch)
    else:
        _run(work, center, batch_id=batch_id, processors=processors)


def undo(work: Work, *, processors: Processors, batch_id: str) -> None:
    """Undo what a batch did to the records; files stay where they are."""
    batch = undo_batch(work, batch_id=batch_id, processors=processors)
    message = f"undone: {batch.order.file_name}, {batch.undone} undone, {batch.kept} kept"
    _log(work, _center(work), batch, message)
    with work.completion({"batch": batch.id, "undone": batch.undone, "kept": batch.kept}):
        pass
