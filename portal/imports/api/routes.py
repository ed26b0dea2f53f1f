"""Imports for programs: send a file with its order, and ask what came of it."""

from flask import Response, request

from portal.accounts.permissions import Permission
from portal.errors import InvalidError
from portal.imports.api.answers import ImportJob, ImportWanted, import_of
from portal.imports.files import store_file
from portal.imports.forms import current_wish
from portal.imports.looking import view_import
from portal.imports.orders import ImportOrder, ask_to_import
from portal.imports.rights import check_may_try
from portal.tables.grants import place_of
from portal.web.access import current_actor, requires
from portal.web.api import answer_json, api_blueprint, describes, given
from portal.web.extensions import services, session

bp = api_blueprint("imports_api", __name__)


@bp.post("/imports")
@requires(Permission.IMPORTS_RUN)
@describes("Import a file into a table, or try it out", answer=ImportJob, status=202,
           takes=ImportWanted, files=("file",), refuses=(409, 413, 415, 422))  # fmt: skip
def create_import() -> Response:
    """Take a file in and ask for its import; what came of it is told by the job."""
    wanted, upload = given(ImportWanted), request.files.get("file")
    if upload is None or not upload.filename:
        raise InvalidError("file: Send the file as the part of the form that is called file.")
    more, runtime, actor = wanted.as_order(), services().runtime, current_actor()
    with runtime.reads() as reader:
        place = place_of(runtime.settings)
        check_may_try(reader, actor, place=place, table=wanted.table, mode=wanted.mode)
    stored = store_file(runtime, stream=upload.stream, name=upload.filename, actor=actor)
    asked = ask_to_import(session(), order=ImportOrder.of(stored, **more), wish=current_wish())
    session().commit()
    warning = "" if asked.earlier is None else asked.earlier.warning
    answer = answer_json(_answer(asked.job.id, warning=warning), 202)
    answer.headers["Location"] = f"/api/imports/{asked.job.id}"
    return answer


@bp.get("/imports/<job_id>")
@requires(Permission.SIGN_IN)
@describes("One import", answer=ImportJob)
def show_import(job_id: str) -> Response:
    """Everything about one import; `job_id` may be a unique beginning of its id."""
    return answer_json(_answer(job_id))


def _answer(job_id: str, *, warning: str = "") -> ImportJob:
    return import_of(view_import(session(), wish=current_wish(), typed=job_id), warning=warning)
