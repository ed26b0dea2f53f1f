"""The pages of a file that is fetched from an address: asking for it, and waiting for it."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.errors import ForbiddenError, InvalidError
from portal.imports.forms import chosen_with, current_wish
from portal.imports.receiving.orders import ask_to_fetch, get_fetch
from portal.jobs.models import Job, JobState
from portal.jobs.views import view_job
from portal.web.access import go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

HERE = "/imports/fetched"

bp = Blueprint("receiving", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.post("/imports/fetched")
def fetch_file() -> Response:
    """Have the file at an address fetched; its page waits for it."""
    address = request.form.get("address", "").strip()
    try:
        asked = ask_to_fetch(
            session(), address=address, chosen=chosen_with(request.form), wish=current_wish()
        )
    except (InvalidError, ForbiddenError) as error:
        flash(str(error) if address else "Give the address of a file first.", "error")
        return go(f"/imports?{urlencode({'address': address})}" if address else "/imports")
    session().commit()
    return go(f"{HERE}/{asked.job.id}")


@bp.get("/imports/fetched/<fetch_id>")
def show_fetch(fetch_id: str) -> Response:
    """How far the fetching is; once the file is here, on to its page."""
    wish = current_wish()
    job = get_fetch(session(), wish=wish, job_id=fetch_id)
    if job.state == JobState.SUCCEEDED:
        return go(_next(job))
    seen = view_job(
        session(), runtime=services().runtime, kinds=wish.kinds, actor=wish.actor, job=job
    )
    context: dict[str, Any] = {
        "job": seen,
        "here": f"{HERE}/{job.id}",
        "address": str(job.args["address"]),
    }
    if is_htmx():
        return fragment("imports/_fetched.html", **context)
    return page("imports/fetched.html", **context)


def _next(job: Job) -> str:
    query = urlencode(job.args["chosen"])
    return f"/imports/new/{job.result['file']}?{query}".rstrip("?")
