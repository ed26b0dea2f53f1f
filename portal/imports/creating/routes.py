"""The pages on which a file becomes a table: send it, see what is proposed, change it, make it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from portal.accounts.permissions import Permission
from portal.errors import ConflictError
from portal.imports.creating.drafts import Draft, Faults, check, propose
from portal.imports.creating.forms import KIND_LABELS, draft_from, number_texts, reading_from
from portal.imports.creating.orders import ask_to_create, ask_to_survey
from portal.imports.creating.surveys import Surveyed, get_survey
from portal.imports.files import MEGABYTE, StoredFile
from portal.imports.forms import current_wish, take_upload
from portal.imports.orders import ImportOrder
from portal.imports.waiting import find_waiting, lend, path_of
from portal.jobs.models import Job, JobState
from portal.jobs.views import view_job
from portal.rows.forms import mapping_words
from portal.tables.creating import taken_names
from portal.tabular.formats import DELIMITER_NAMES, Format
from portal.tabular.spreadsheets import sheet_names
from portal.tabular.table import TableError
from portal.tabular.turns import turn
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

HERE = "/imports/create-table"

bp = Blueprint("creating", __name__)
protect(bp, Permission.TABLES_GRANT)


@bp.get("/imports/create-table")
def choose_file() -> Response:
    """Where a file is sent that is to become a table."""
    most = services().runtime.settings.upload_limit_mb * MEGABYTE
    return page("imports/create_table.html", most=most)


@bp.post("/imports/create-table")
def take_file() -> Response:
    """Take a file in, or one that was sent already, and have all of it looked through."""
    if request.form.get("file_id"):
        return _survey(_waiting(request.form["file_id"]), {})
    stored = take_upload()
    if stored is None:
        return go(HERE)
    return _survey(stored, {})


@bp.get("/imports/create-table/<survey_id>")
def show_draft(survey_id: str) -> Response:
    """The table that is proposed, to be changed; while the file is looked through, how far."""
    context = _context(_job(survey_id))
    if is_htmx():
        return fragment("imports/_draft.html", **context)
    return page("imports/draft.html", **context)


@bp.post("/imports/create-table/<survey_id>")
def create_table(survey_id: str) -> Response:
    """Make the table as it was filled in, and import the file into it."""
    job = _job(survey_id)
    stored, seen = _file(job), _seen(job)
    draft = draft_from(request.form, columns=len(seen.survey.columns))
    faults = _faults(draft, seen.format)
    if faults:
        return page("imports/draft.html", 422, **_context(job, draft=draft, faults=faults))
    order = _order(stored, seen.format, draft)
    asked = ask_to_create(session(), table=draft.table, order=order, wish=current_wish())
    session().commit()
    return go(f"/imports/{asked.job.id}")


@bp.post("/imports/create-table/<survey_id>/read")
def read_again(survey_id: str) -> Response:
    """Look through the file once more, read in another way."""
    return _survey(_file(_job(survey_id)), reading_from(request.form))


def _survey(stored: StoredFile, reading: Mapping[str, str]) -> Response:
    asked = ask_to_survey(session(), stored=stored, reading=reading, wish=current_wish())
    session().commit()
    return go(f"{HERE}/{asked.job.id}")


def _job(survey_id: str) -> Job:
    return get_survey(session(), wish=current_wish(), job_id=survey_id)


def _waiting(file_id: str) -> StoredFile:
    settings = services().runtime.settings
    return find_waiting(settings, file_id=file_id, actor=current_actor())


def _file(job: Job) -> StoredFile:
    return _waiting(str(job.args["source"]))


def _seen(job: Job) -> Surveyed:
    if job.state != JobState.SUCCEEDED:
        raise ConflictError("The file was not looked through to its end yet.")
    return Surveyed.from_json(job.result)


def _order(stored: StoredFile, fmt: Format, draft: Draft) -> ImportOrder:
    more: dict[str, Any] = {
        "table": draft.name,
        "partial": request.form.get("partial") == "yes",
        "format": fmt,
        "columns": draft.mapping,
        "treatment": draft.treatment,
    }
    asked = ImportOrder.of(stored, **more).as_args()
    return ImportOrder.of(lend(services().runtime.settings, stored, asked=asked), **more)


def _faults(draft: Draft, fmt: Format) -> Faults:
    runtime = services().runtime
    dialect = runtime.tables.dialect.name
    return check(draft, taken=taken_names(runtime), dialect=dialect, kind=fmt.kind)


def _context(
    job: Job, *, draft: Draft | None = None, faults: Faults | None = None
) -> dict[str, Any]:
    wish, stored = current_wish(), _file(job)
    runtime = wish.runtime
    context: dict[str, Any] = {
        "job": view_job(session(), runtime=runtime, kinds=wish.kinds, actor=wish.actor, job=job),
        "file": stored,
        "here": f"{HERE}/{job.id}",
        "draft": None,
    }
    if job.state != JobState.SUCCEEDED:
        return context
    seen, dialect = Surveyed.from_json(job.result), runtime.tables.dialect.name
    taken = taken_names(runtime)
    shown = draft or propose(seen.survey, file_name=stored.name, taken=taken, dialect=dialect)
    return context | {
        "draft": shown,
        "faults": faults or _faults(shown, seen.format),
        "survey": seen.survey,
        "format": seen.format,
        "delimiter": DELIMITER_NAMES.get(seen.format.delimiter, ""),
        "sheets": _sheets(stored, seen.format),
        "kinds": KIND_LABELS,
        "numbers": number_texts(shown),
        "partial": request.form.get("partial") == "yes",
        **{name: mapping_words()[name] for name in ("encodings", "delimiters", "number_formats")},
    }


def _sheets(stored: StoredFile, fmt: Format) -> list[str]:
    if fmt.kind == "csv":
        return []
    try:
        with turn(fmt.kind):
            return sheet_names(path_of(services().runtime.settings, stored), fmt.kind)
    except TableError:
        return []
