"""What a worker does for an import: take its file, see whether it fits, run its batch, tell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from portal.artifacts.sources import FileSources
from portal.files import safe_name
from portal.imports.addresses import is_address
from portal.imports.copying import take_copy
from portal.imports.fetching import Trust, arriving
from portal.imports.files import drop_file, take_file, take_stream
from portal.imports.fitting import Fitted, check_ending, fit, missing_table, table_processor
from portal.imports.folders import take_from_folder
from portal.imports.newest import check_is_new, with_file_meant
from portal.imports.offered import is_offered, open_offered
from portal.imports.orders import ImportOrder
from portal.imports.outcomes import redone, refusal_of, result_of, undone_text
from portal.imports.outside import NOTHING_OFFERED, Outside
from portal.imports.rights import check_place, may_see
from portal.imports.words import KIND
from portal.jobs.work import Work
from portal.rows.batch import Batch, BatchOrder, BatchState
from portal.rows.books import open_books
from portal.rows.copies import Source, find_batch_id
from portal.rows.engine import run_batch
from portal.rows.processors import Mode, Processor, Processors, Record
from portal.rows.profiles import Profile, get_profile, mark_used
from portal.rows.redo import redo_batch
from portal.rows.service import create_batch, get_batch, retry
from portal.rows.undo import undo_batch
from portal.tables.catalog import catalog_of


def run_import(
    work: Work,
    *,
    processors: Processors,
    place: str,
    outside: Outside = NOTHING_OFFERED,
    **args: Any,
) -> None:
    """Import a file, or try it out; a job that was cut short goes on where it stood."""
    check_place(work.runtime.settings, place)
    order = ImportOrder.from_args(args)
    import_file(work, order, processors=processors, place=place, outside=outside)


def import_file(
    work: Work,
    order: ImportOrder,
    *,
    processors: Processors,
    place: str,
    outside: Outside = NOTHING_OFFERED,
    begins: str = "",
    refused: str = "",
) -> None:
    """Do what `order` says. What it came to is told after `begins`, or `refused` where it is."""
    with work.runtime.reads() as session:
        known = find_batch_id(session, job_id=work.claim.job_id)
    batch_id = known or _take_in(work, order, processors, place=place, outside=outside)
    drop_file(work.runtime.settings, file_id=order.source)
    if known:
        begin_anew(work, batch_id)
    _run(work, batch_id=batch_id, processors=processors, begins=begins, refused=refused)


def go_on(work: Work, *, processors: Processors, batch_id: str, place: str, **_about: str) -> None:
    """Do what is left of an import, or its failed rows once more."""
    check_place(work.runtime.settings, place)
    _run(work, batch_id=batch_id, processors=processors)


def undo(work: Work, *, processors: Processors, batch_id: str, place: str, **_about: str) -> None:
    """Undo what an import did to its table."""
    check_place(work.runtime.settings, place)
    batch = undo_batch(work, batch_id=batch_id, processors=processors)
    text = undone_text(work.runtime, batch)
    result = {"batch": batch.id, "undone": batch.undone, "kept": batch.kept, "text": text}
    with work.completion(result):
        pass


def redo(work: Work, *, processors: Processors, batch_id: str, place: str, **_about: str) -> None:
    """Do again what an import did to its table, after it was undone."""
    check_place(work.runtime.settings, place)
    batch = redo_batch(work, batch_id=batch_id, processors=processors)
    result = {"batch": batch.id, **batch.counts.as_json(), **redone(work.runtime, batch)}
    with work.completion(result):
        pass


def keep_in_ledger(records: Sequence[Record], *, at: int) -> int:  # noqa: ARG001
    """Deleted rows need no other place: the ledger keeps their images in the very transaction."""
    return at


def begin_anew(work: Work, batch_id: str) -> None:
    """Let all rows of a refused batch be tried again, for somebody retries its job."""
    with work.runtime.reads() as session:
        batch = get_batch(session, batch_id=batch_id)
    if batch.state is BatchState.REFUSED:
        books = open_books(work.runtime, batch.store)
        with books.write() as session:
            retry(session, batch_id=batch_id, tables=books.tables)


def do_batch(work: Work, *, batch_id: str, processors: Processors) -> Batch:
    """Do what is left of a batch of imports."""
    with work.runtime.reads() as session:
        order = get_batch(session, batch_id=batch_id).order
    keep = keep_in_ledger if order.mode is Mode.REMOVE else None
    return run_batch(work, batch_id=batch_id, processors=processors, keep_removed=keep)


def _take_in(
    work: Work, order: ImportOrder, processors: Processors, *, place: str, outside: Outside
) -> str:
    with work.runtime.reads() as session:
        if not may_see(session, work.actor, place=place, table=order.table):
            raise missing_table(order.table)
    processor = table_processor(processors, order.table)
    order, pattern = with_file_meant(work, order, outside.sources), order.path
    order, source = _source(work, order, outside)
    check_is_new(work, order, source, pattern=pattern, place=place)
    fitted = fit(
        source.path,
        order,
        processor=processor,
        shape=catalog_of(work.runtime).get(order.table),
        profile=_profile(work, order),
    )
    return _create(work, order, processor, source, fitted, place=place).id


def _source(work: Work, order: ImportOrder, outside: Outside) -> tuple[ImportOrder, Source]:
    """The file, and the order with its name: that of an address may only be known by its answer."""
    if is_address(order.path):
        return _fetched(work, order, outside.trust)
    check_ending(order.file_name)
    if is_offered(order.path):
        return order, _copied(work, order.path, outside.sources)
    if order.path:
        return order, take_from_folder(work, path=order.path)
    return order, take_file(work, file_id=order.source, size=order.size, sha256=order.sha256)


def _copied(work: Work, path: str, sources: FileSources) -> Source:
    with work.runtime.reads() as session:
        stream = open_offered(sources, session, actor=work.actor, path=path)
    with stream:
        return take_copy(work, stream, path=path)


def _fetched(work: Work, order: ImportOrder, trust: Trust) -> tuple[ImportOrder, Source]:
    def told(arrived: int) -> None:
        work.progress(stage="Fetching the file", done=arrived, total=coming.size, unit="bytes")
        work.checkpoint()

    with arriving(work.runtime.settings, order.path, told=told, trust=trust) as coming:
        check_ending(coming.name)
        return replace(order, file_name=safe_name(coming.name)), take_stream(work, stream=coming)


def _profile(work: Work, order: ImportOrder) -> Profile | None:
    if not order.profile:
        return None
    with work.runtime.reads() as session:
        return get_profile(session, name=order.profile)


def _create(
    work: Work,
    order: ImportOrder,
    processor: Processor,
    source: Source,
    fitted: Fitted,
    *,
    place: str,
) -> Batch:
    mode, now = order.mode.rows_mode, work.runtime.clock()
    batch_order = BatchOrder(
        kind=KIND,
        processor=processor.name,
        mode=mode,
        file=source.path,
        file_name=order.file_name,
        sha256=source.sha256,
        size=source.size,
        format=fitted.format,
        columns=fitted.columns,
        dry_run=order.dry_run,
        owner=place,
        whole=not order.partial,
        treatment=fitted.treatment,
        original=True,
    )
    with work.effect() as session:
        batch = create_batch(
            session,
            order=batch_order,
            actor=work.actor,
            now=now,
            store=processor.store,
            job_id=work.claim.job_id,
        )
        if not order.dry_run:
            mark_used(
                session,
                processor=processor.name,
                mode=mode,
                columns=fitted.columns,
                treatment=fitted.treatment,
                now=now,
            )
    return batch


def _run(
    work: Work, *, batch_id: str, processors: Processors, begins: str = "", refused: str = ""
) -> None:
    batch = do_batch(work, batch_id=batch_id, processors=processors)
    result = result_of(work, batch)
    if batch.state is BatchState.REFUSED:
        raise refusal_of(_after(refused, result))
    if batch.state is BatchState.PAUSED:
        work.progress(message="Paused; the rest waits until somebody lets it go on.")
    with work.completion(_after(begins, result)):
        pass


def _after(line: str, result: dict[str, Any]) -> dict[str, Any]:
    """The result with `line` before its text."""
    return result | {"text": f"{line}\n{result['text']}"} if line else result
