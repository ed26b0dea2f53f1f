"""The error grid: failing rows, edited, replaced, skipped, done again. The same for every area."""

from typing import Any

from flask import Blueprint, Response, flash, request
from sqlalchemy.orm import Session

from portal.accounts.permissions import Permission
from portal.artifacts.downloads import disposition
from portal.audit.service import record
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.rows import editing, service
from portal.rows.batch import Batch, BatchState
from portal.rows.batch_kinds import BatchKind, Wish
from portal.rows.books import Books, open_books
from portal.rows.downloads import stream_failed, stream_kept
from portal.rows.grid import Grid, candidates_of, changed_meanwhile, open_grid, rows_after
from portal.rows.processors import Acting
from portal.rows.showing import may_see_records
from portal.web.access import answers_file, current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.numbers import number, numbered
from portal.web.pages import fragment, page
from portal.web.signed_in import address

bp = Blueprint("rows", __name__)
protect(bp, Permission.SIGN_IN)


@bp.get("/rows/<batch_id>")
def show_grid(batch_id: str) -> Response:
    """The failing rows of a batch, fifty at a time."""
    batch, kind = _batch(batch_id)
    books, grid = _books(batch), _grid(batch)
    rows, following = rows_after(books, grid, request.args.get("after", 0, type=number))
    context = _context(batch, kind) | {"grid": grid, "rows": rows, "following": following}
    if is_htmx():
        return fragment("rows/_rows.html", **context)
    return page("rows/show.html", **context)


@bp.post("/rows/<batch_id>/<int:row>")
def edit_row(batch_id: str, row: int) -> Response:
    """Type over cells of a failing row; for htmx the row as it stands then.

    What another changed since it was shown is not written over; that is said at the cell.
    """
    batch, kind = _batch(batch_id, repair=True)
    books, grid = _books(batch), _grid(batch)
    cells = numbered(request.form, "cell-")
    with books.write() as writer:
        edited = editing.edit_seen(
            writer,
            tables=books.tables,
            batch_id=batch_id,
            row=row,
            cells=cells,
            seen=numbered(request.form, "seen-"),
        )
    if taken := sorted(cells.keys() - edited.kept_out.keys()):
        _record("edit", batch_id, row=row, columns=taken)
    shown = grid.row(edited.entry, edited.kept_out)
    if is_htmx():
        context = _context(batch, kind) | {"grid": grid, "row": shown}
        return fragment("rows/_row.html", 422 if edited.kept_out else 200, **context)
    for cell in shown.cells:
        if cell.kept_out is not None:
            flash(f"Row {row}: {changed_meanwhile(cell)}", "error")
    return go(f"/rows/{batch_id}?after={row - 1}")


@bp.get("/rows/<batch_id>/candidates")
def show_candidates(batch_id: str) -> Response:
    """What the reference in a cell could mean, as options for its input."""
    batch, _ = _batch(batch_id, repair=True)
    place = request.args.get("column", -1, type=number)
    found = services()
    acting = Acting(
        actor=current_actor(), now=found.runtime.clock(), settings=found.runtime.settings
    )
    with _books(batch).read() as reader:
        candidates = candidates_of(
            reader,
            found.processors.get(batch.order.processor),
            batch,
            number=place,
            text=request.args.get(f"cell-{place}", "").replace("\0", "")[:200],
            acting=acting,
        )
    return fragment("rows/_candidates.html", candidates=candidates)


@bp.post("/rows/<batch_id>/replace")
def replace_value(batch_id: str) -> Response:
    """Put one value in the place of another in a column of all failing rows."""
    batch, _ = _batch(batch_id, repair=True)
    column = request.form.get("column", -1, type=number)
    if not 0 <= column < batch.width:
        raise InvalidError("Choose the column in which to replace.")
    old, new = request.form.get("old", ""), request.form.get("new", "")
    met = editing.replace_value(_books(batch), batch_id=batch_id, column=column, old=old, new=new)
    _record("replace", batch_id, column=column, rows=met)
    rows = "1 row" if met == 1 else f"{met:,} rows"
    flash(f"Replaced in {rows}." if met else f"No failing row has “{old}” there.", "info")
    return go(f"/rows/{batch_id}")


@bp.post("/rows/<batch_id>/skip")
def skip_rows(batch_id: str) -> Response:
    """Leave the chosen rows out, or all, with a reason."""
    batch, kind = _batch(batch_id, repair=True)
    books, reason = _books(batch), request.form.get("reason", "")
    try:
        if request.form.get("all") == "yes":
            skipped = editing.skip_all(books, batch_id=batch_id, reason=reason)
        else:
            with books.write() as writer:
                skipped = editing.skip_rows(
                    writer,
                    tables=books.tables,
                    batch_id=batch_id,
                    rows=_chosen(),
                    reason=reason,
                )
    except InvalidError as error:
        flash(str(error), "error")
        return go(f"/rows/{batch_id}")
    _record("skip", batch_id, rows=skipped)
    flash(f"Skipped {skipped:,} row{'' if skipped == 1 else 's'}.", "success")
    return _after_change(batch_id, kind)


@bp.post("/rows/<batch_id>/retry")
def retry_rows(batch_id: str) -> Response:
    """Do the failing rows again: the chosen ones, or all."""
    batch, kind = _batch(batch_id, repair=True)
    if batch.order.dry_run:
        raise ConflictError("These rows are of a dry run; process the file instead.")
    books = _books(batch)
    try:
        rows = _chosen()
        with services().runtime.reads() as reader:
            kind.check_retry(reader, batch, _wish())
    except (InvalidError, ConflictError) as error:
        flash(str(error), "error")
        return go(f"/rows/{batch_id}")
    with books.write() as writer:
        service.retry(writer, batch_id=batch_id, rows=rows, tables=books.tables)
    again, _ = _batch(batch_id)
    service.show(session(), batch=again)
    url = kind.retry(session(), again, _wish())
    session().commit()
    return go(url)


@bp.get("/rows/<batch_id>/failing")
@answers_file
def download_failing(batch_id: str) -> Response:
    """The failing rows as a file like the source, with their errors in the last column."""
    batch, kind = _batch(batch_id)
    return _stream(stream_failed(_books(batch), batch), kind.failing_name(batch))


@bp.get("/rows/<batch_id>/kept")
@answers_file
def download_kept(batch_id: str) -> Response:
    """What an undo had to keep, and why."""
    batch, _ = _batch(batch_id)
    processors, owner = services().processors, batch.actor_id
    if not may_see_records(processors, current_actor(), batch.order.processor, owner_id=owner):
        raise ForbiddenError("These are records that you may not see.")
    stem = batch.order.file_name.rpartition(".")[0] or batch.order.file_name
    return _stream(stream_kept(_books(batch), batch), f"{stem}.kept.csv")


def _batch(batch_id: str, *, repair: bool = False) -> tuple[Batch, BatchKind]:
    """The batch, if one may see it (404) and, where it is to be repaired, do that (403).

    Never by the request's session, which on SQLite would hold the write lock while books write.
    """
    with services().runtime.reads() as reader:
        known = service.get_batch(reader, batch_id=batch_id)
        kind, actor = services().batch_kinds.get(known.order.kind), current_actor()
        if not kind.may_view(reader, actor, known):
            raise NotFoundError("There is no such batch.")
        if repair and not _may_repair(reader, kind, known):
            raise ForbiddenError("You may see these rows, but not repair them.")
    books = _books(known)
    with books.read() as reader:
        return service.get_batch(reader, batch_id=batch_id, tables=books.tables), kind


def _may_repair(reader: Session, kind: BatchKind, batch: Batch) -> bool:
    """Whoever edits a row may do what it then asks for himself: another may do the row again."""
    actor, order = current_actor(), batch.order
    may = kind.may_repair(reader, actor, batch)
    return may and services().processors.lends(
        actor, order.processor, order.mode, owner_id=batch.actor_id
    )


def _record(action: str, batch_id: str, **detail: Any) -> None:
    """Write who changed failing rows; of what they hold, nothing: that can be forgotten."""
    record(
        session(),
        actor=current_actor(),
        action=f"rows.{action}",
        object_kind="batch",
        object_id=batch_id,
        now=services().runtime.clock(),
        address=address(),
        detail=detail,
    )
    session().commit()


def _books(batch: Batch) -> Books:
    return open_books(services().runtime, batch.store)


def _grid(batch: Batch) -> Grid:
    return open_grid(batch, services().processors.get(batch.order.processor))


def _chosen() -> list[int]:
    rows = request.form.getlist("row", type=number)
    if not rows and request.form.get("all") != "yes":
        raise InvalidError("No item selected.")
    return rows


def _context(batch: Batch, kind: BatchKind) -> dict[str, Any]:
    with services().runtime.reads() as reader:
        may_repair = _may_repair(reader, kind, batch)
    return {
        "batch": batch,
        "kind": kind,
        "batch_url": kind.page(batch),
        "may_repair": may_repair,
        "repairable": not batch.order.dry_run,
    }


def _wish() -> Wish:
    found = services()
    return Wish(
        actor=current_actor(),
        now=found.runtime.clock(),
        kinds=found.kinds,
        waker=found.waker,
        processors=found.processors,
        runtime=found.runtime,
        address=address(),
    )


def _after_change(batch_id: str, kind: BatchKind) -> Response:
    batch, _ = _batch(batch_id)
    service.show(session(), batch=batch)
    session().commit()
    stays = batch.counts.failed or batch.state is BatchState.REFUSED
    return go(f"/rows/{batch_id}" if stays else kind.page(batch))


def _stream(content: Any, name: str) -> Response:
    response = Response(content, mimetype="text/csv")
    response.headers["Content-Disposition"] = disposition(name, inline=False)
    return response
