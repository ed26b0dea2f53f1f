"""The pages of expected files: what is imported by itself and when, and a new schedule."""

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.errors import ForbiddenError, InvalidError, NotFoundError
from portal.imports.expected.forms import ExpectedForm
from portal.imports.forms import current_wish, tables_offered
from portal.imports.mappings import mappings_for
from portal.imports.offered import check_offered, is_offered
from portal.imports.orders import RUN, ImportOrder, ask_to_import
from portal.imports.scheduled import check_profile, schedule_import
from portal.jobs import schedules
from portal.jobs.cron import check_cron
from portal.visible import visible
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.pages import page

LIST = "/imports/schedules"
JOINED = "The very same was asked for already; here is that job."
ONCE = "once"

bp = Blueprint("expected", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.get("/imports/schedules")
def list_schedules() -> Response:
    """The imports that are asked for by themselves: one's own, for who manages schedules all."""
    wish = current_wish()
    found = schedules.list_schedules(session(), actor=wish.actor, kind=RUN)
    zone = wish.runtime.settings.zone
    plans = schedules.plans(session(), found, zone=zone, now=wish.now)
    return page("imports/schedules.html", plans=plans, schedules_url=LIST, zone=zone.key)


@bp.get("/imports/schedules/new")
def new_schedule() -> Response:
    """The form of a new schedule; a path and a table may be given already."""
    form = _form()
    form.path.data = request.args.get("path", "")
    form.table.data = request.args.get("table", "")
    return _form_page(form)


@bp.post("/imports/schedules")
def create_schedule() -> Response:
    """Put the import of a file at a path on a schedule, or ask for it just once."""
    form, once = _form(), request.form.get("action") == ONCE
    if once:
        del form.cron
    if not form.validate_on_submit():
        return _form_page(form if not once else _again(form), 422)
    try:
        return _import_once(form) if once else _put_on_schedule(form)
    except (InvalidError, ForbiddenError, NotFoundError) as error:
        session().rollback()
        return _form_page(form if not once else _again(form), 422, fault=str(error))


@bp.post("/imports/schedules/<int:schedule_id>/<any(pause,resume,remove,run):action>")
def change_schedule(schedule_id: int, action: str) -> Response:
    """Pause, resume, delete or run a schedule, as on the page of all schedules."""
    wish = current_wish()
    found = schedules.get_schedule(session(), actor=wish.actor, schedule_id=schedule_id)
    if found.kind != RUN:
        raise NotFoundError("This schedule is of no import.")
    job = schedules.change(
        session(),
        schedule_id=schedule_id,
        action=action,
        actor=wish.actor,
        runtime=wish.runtime,
        kinds=wish.kinds,
        waker=wish.waker,
        address=wish.address,
    )
    session().commit()
    return go(LIST if job is None else f"/imports/{job.id}")


def _put_on_schedule(form: ExpectedForm) -> Response:
    order, cron = form.order, str(form.cron.data).strip()
    _check_place(order)
    schedule_import(session(), order=order, cron=cron, wish=current_wish())
    session().commit()
    flash(f"{visible(order.file_name)} is imported: {check_cron(cron)}.", "success")
    return go(LIST)


def _import_once(form: ExpectedForm) -> Response:
    order = form.order
    _check_place(order)
    check_profile(session(), order)
    asked = ask_to_import(session(), order=order, wish=current_wish())
    session().commit()
    if asked.joined:
        flash(JOINED, "info")
    return go(f"/imports/{asked.job.id}")


def _check_place(order: ImportOrder) -> None:
    if is_offered(order.path):
        check_offered(services().sources, session(), actor=current_actor(), path=order.path)


def _form() -> ExpectedForm:
    offered = tables_offered(current_actor())
    form = ExpectedForm()
    form.offer(offered, mappings_for(session(), offered))
    return form


def _again(form: ExpectedForm) -> ExpectedForm:
    """The whole form with what was typed and what is wrong with it."""
    whole = _form()
    for field in form:
        whole[field.name].errors = field.errors
    return whole


def _form_page(form: ExpectedForm, status: int = 200, *, fault: str = "") -> Response:
    settings = services().runtime.settings
    return page(
        "imports/schedule.html",
        status,
        form=form,
        fault=fault,
        allowed=settings.imports_folders,
        hosts=settings.imports_hosts,
        channels=_may_take(),
        zone=settings.zone.key,
    )


def _may_take() -> bool:
    """Whether files of other areas are to be taken by who asks."""
    return any(source.may_take(current_actor()) for source in services().sources)
