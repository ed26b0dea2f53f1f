"""What a worker does for a file: copy it, run its batch, put the results where they belong."""

from typing import Any

from portal.datacenter.claims import claim_file, release_file
from portal.datacenter.disk import find_entry
from portal.datacenter.earlier import Earlier, earlier_results, occasion_of, results_of
from portal.datacenter.folders import DataCenter
from portal.datacenter.intents import find_intent, open_intent
from portal.datacenter.names import disk_name, stem_of
from portal.datacenter.orders import ProcessOrder, name_of
from portal.datacenter.record_log import log_batch, log_records, processed
from portal.datacenter.removed_records import RemovedRecords
from portal.datacenter.results import Distributed
from portal.datacenter.returning import STAYS, Return, occasion_of_return, plan_return, said_of
from portal.datacenter.second_person import allowance, said_of_waiting
from portal.datacenter.service import open_data_center
from portal.datacenter.sources import keep_source
from portal.datacenter.steps import Folder
from portal.errors import ConflictError
from portal.jobs.work import Work
from portal.rows.batch import Batch, BatchOrder, BatchState
from portal.rows.books import open_books
from portal.rows.copies import find_batch_id
from portal.rows.engine import run_batch
from portal.rows.processors import KeepRemoved, Mode, Processors
from portal.rows.profiles import mark_used
from portal.rows.results import write_results
from portal.rows.service import create_batch, get_batch
from portal.rows.undo import undo_batch

KIND = "datacenter"
WRITING = "Writing the results"
PAUSED = "Paused; the rest waits until somebody lets it go on."


def process_file(work: Work, *, processors: Processors, **args: Any) -> None:
    """Process a file, or try it out; a job that was cut short goes on where it stood."""
    order = ProcessOrder.from_args(args)
    center = _center(work)
    if not order.dry_run:
        _claim(work, order.name)
    with work.runtime.reads() as session:
        known = find_batch_id(session, job_id=work.claim.job_id)
    batch_id = known or _take_in(work, order, center, processors)
    _run(work, center, batch_id=batch_id, processors=processors)


def go_on(work: Work, *, processors: Processors, batch_id: str, give_up: bool = False) -> None:
    """Do what is left of a batch, or (`give_up`) leave it and put its files where they belong."""
    center = _center(work)
    with work.runtime.reads() as session:
        batch = get_batch(session, batch_id=batch_id)
    _claim(work, name_of(batch))
    if give_up:
        _settle(work, center, batch)
    else:
        _run(work, center, batch_id=batch_id, processors=processors)


def undo(work: Work, *, processors: Processors, batch_id: str) -> None:
    """Undo what a batch did to the records; then its file waits again, if nobody changed it."""
    batch = undo_batch(work, batch_id=batch_id, processors=processors)
    center = _center(work)
    said = _return_file(work, center, batch)
    message = f"undone: {batch.order.file_name}, {batch.undone} undone, {batch.kept} kept"
    log_batch(work, center, batch, message)
    result = {"batch": batch.id, "undone": batch.undone, "kept": batch.kept, "file": said}
    with work.completion(result) as session:
        release_file(session, name=name_of(batch), job_id=work.claim.job_id)


def _return_file(work: Work, center: DataCenter, batch: Batch) -> str:
    """Put the file of an undone batch back into the root; says what became of it."""
    folder, name = _place_of(batch)
    if folder is not Folder.ROOT:
        return ""
    with work.runtime.reads() as session:
        known = find_intent(session, occasion=occasion_of_return(batch))
        done = results_of(session, batch)
    if known is None:
        if not done and find_entry(center.storage / name) is not None:
            return ""  # its results were never put anywhere
        try:
            _claim(work, name)
        except ConflictError as error:
            return STAYS.format(name=batch.order.file_name, reason=error)
        wanted = Return(batch=batch, name=name, done=done, actor=work.actor)
        intent = plan_return(center, wanted)
        with work.effect() as session:
            known = open_intent(session, intent=intent, now=work.runtime.clock())
        center.carry(known)
        return said_of(known)
    if known.result is None:
        center.resume(known.intent.id)
    return said_of(known)


def _center(work: Work) -> DataCenter:
    return open_data_center(work.runtime, transaction=work.effect)


def _claim(work: Work, name: str) -> None:
    """A job that is tried again takes its file again; nobody else may have it meanwhile."""
    with work.effect() as session:
        claim_file(session, name=name, job_id=work.claim.job_id, now=work.runtime.clock())


def _take_in(work: Work, order: ProcessOrder, center: DataCenter, processors: Processors) -> str:
    file = center.get_file(order.name, order.folder)
    source = keep_source(work, file, sha256=order.sha256)
    processor = processors.get(order.processor)
    batch_order = BatchOrder(
        kind=KIND,
        processor=processor.name,
        mode=order.mode,
        file=source.path,
        file_name=file.shown,
        sha256=source.sha256,
        size=source.size,
        format=order.format,
        columns=order.columns,
        treatment=order.treatment,
        dry_run=order.dry_run,
        reason=str(order.reason),
        owner=f"{order.folder}/{order.name}".lstrip("/"),
    )
    with work.effect() as session:
        batch = create_batch(
            session,
            order=batch_order,
            actor=work.actor,
            now=work.runtime.clock(),
            store=processor.store,
            job_id=work.claim.job_id,
        )
        if not order.dry_run:
            mark_used(
                session,
                processor=processor.name,
                mode=order.mode,
                columns=order.columns,
                treatment=order.treatment,
                now=work.runtime.clock(),
            )
    return batch.id


def _run(work: Work, center: DataCenter, *, batch_id: str, processors: Processors) -> None:
    with work.runtime.reads() as session:
        waiting = get_batch(session, batch_id=batch_id)
    keep = _keep_removed(center, waiting, processors, work)
    allow = allowance(work, waiting, processors)
    batch = run_batch(
        work, batch_id=batch_id, processors=processors, keep_removed=keep, allow=allow
    )
    if batch.state is BatchState.PAUSED:
        said = said_of_waiting(work, batch, processors.get(batch.order.processor))
        work.progress(message=said or PAUSED)
    if batch.state is BatchState.PAUSED or batch.order.dry_run:
        _complete(work, batch)
    else:
        _settle(work, center, batch)


def _keep_removed(
    center: DataCenter, batch: Batch, processors: Processors, work: Work
) -> KeepRemoved | None:
    order = batch.order
    if order.mode is not Mode.REMOVE or order.dry_run:
        return None
    folder = center.graduated_path if order.reason == Folder.GRADUATED else center.deleted_path
    path = folder / disk_name(f"{stem_of(order.file_name)}.{batch.id[:8]}.csv")
    fields = processors.get(order.processor).fields
    return RemovedRecords(path, fields, clock=work.runtime.clock)


def _settle(work: Work, center: DataCenter, batch: Batch) -> None:
    """Put the files of a batch where they belong, once for each attempt; log it; end the job."""
    folder, name = _place_of(batch)
    where: dict[str, Any] = {}
    with work.runtime.reads() as session:
        earlier = earlier_results(session, batch)
    log_records(work, center, batch, since=earlier.attempt + 1)
    if folder is Folder.ROOT:
        where = _distribute(work, center, batch, name, earlier).as_json()
    log_batch(work, center, batch, str(processed(batch, center, work)))
    _complete(work, batch, **where)


def _place_of(batch: Batch) -> tuple[Folder, str]:
    folder, _, name = batch.order.owner.rpartition("/")
    return Folder(folder), name


def _distribute(
    work: Work, center: DataCenter, batch: Batch, name: str, earlier: Earlier
) -> Distributed:
    books = open_books(work.runtime, batch.store)
    work.progress(stage=WRITING)
    with books.read() as session:
        files = write_results(
            session,
            tables=books.tables,
            batch=batch,
            finished=work.folder / "finished.csv",
            pending=work.folder / "pending.csv",
            checkpoint=work.checkpoint,
            since=earlier.attempt + 1,
        )
    source = center.storage / (earlier.pending or name)
    repairs = earlier.pending and source.exists()
    return center.dist_processed_files(
        files.pending is None,
        source,
        files.finished,
        files.pending,
        mode=str(batch.order.mode),
        copy=None if repairs else batch.order.file,
        occasion=occasion_of(batch, batch.attempt),
        actor=work.actor,
    )


def _complete(work: Work, batch: Batch, **more: Any) -> None:
    result = {"batch": batch.id, **batch.counts.as_json(), **more}
    _, name = _place_of(batch)
    with work.completion(result) as session:
        release_file(session, name=name, job_id=work.claim.job_id)
