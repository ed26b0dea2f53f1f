"""The dashboard and the pages of jobs, schedules and notifications."""

import json
from typing import Any

from flask import Blueprint, Response, current_app, make_response, request
from flask import session as cookie

from portal import __version__
from portal.accounts.permissions import Permission
from portal.errors import NotFoundError
from portal.jobs import dashboard, inbox, queries, schedules, service, views
from portal.jobs.forms import ScheduleForm, filter_query, job_filter
from portal.jobs.glances import glance
from portal.jobs.models import Job, JobState
from portal.jobs.monitoring.routes import bp as monitoring
from portal.web.access import current_actor, go, protect, requires
from portal.web.extensions import reader, services, session
from portal.web.hx import is_htmx, trigger
from portal.web.numbers import number
from portal.web.pages import area_cards, fragment, page

bp = Blueprint("jobs", __name__)
protect(bp, Permission.SIGN_IN)
bp.register_blueprint(monitoring)


@bp.get("/")
def show_dashboard() -> Response:
    """What runs, what needs attention, and the way to every area."""
    found, actor = services(), current_actor()
    concerns = found.concerns(session(), actor)
    facts = dashboard.look(session(), runtime=found.runtime, actor=actor, concerns=concerns)
    if is_htmx():
        return fragment("dashboard/_now.html", facts=facts)
    return page("dashboard/index.html", facts=facts, cards=area_cards(actor))


@bp.get("/jobs")
def list_jobs() -> Response:
    """The jobs that match a filter; for htmx the list alone."""
    actor, wanted = current_actor(), job_filter(request.args)
    found = queries.list_jobs(session(), actor=actor, wanted=wanted)
    context: dict[str, Any] = {
        "found": found,
        "jobs": views.view_rows(found.rows, runtime=services().runtime),
        "wanted": wanted,
        "query": filter_query(wanted),
        "every": actor.may(Permission.JOBS_VIEW_ALL),
    }
    if is_htmx():
        return fragment("jobs/_list.html", **context)
    areas = sorted({kind.area for kind in services().kinds})
    return page(
        "jobs/index.html",
        area_options=[("", "All areas"), *((area, area.capitalize()) for area in areas)],
        state_options=[("", "All states"), *((state, views.WORDS[state]) for state in JobState)],
        **context,
    )


@bp.get("/jobs/<job_id>")
def show_job(job_id: str) -> Response:
    """Everything about one job; `job_id` may be a unique beginning of its id."""
    job = _job(job_id)
    if job.id != job_id:
        return go(f"/jobs/{job.id}")
    attempts = queries.attempt_rows(session(), job_id=job.id)
    attempt = request.args.get("attempt", job.attempt, type=number)
    return page(
        "jobs/show.html",
        job=_view(job),
        attempts=attempts,
        tracebacks=_tracebacks(job),
        shown_attempt=attempt,
        log=_log(job, attempt),
        history=inbox.history(session(), job_id=job.id),
        page_link=_page_link(job),
    )


@bp.get("/jobs/<job_id>/status")
def show_status(job_id: str) -> Response:
    """The one status fragment; whoever has this very answer already gets 304 and no body."""
    row = queries.find_row(reader(), job_id=job_id)
    actor, kinds = current_actor(), services().kinds
    if row is None or not views.sees(session(), kinds=kinds, actor=actor, row=row):
        raise NotFoundError("There is no such job.")
    runtime = services().runtime
    seen = glance(reader(), runtime=runtime, row=row)
    tag = seen.tag(actor.user_id, cookie.get("csrf_token"), __version__)
    if seen.active and request.if_none_match.contains(tag):
        return _tagged(Response(status=304), tag)
    job = views.view_glance(session(), kinds=kinds, actor=actor, seen=seen, now=runtime.clock())
    text = current_app.jinja_env.get_template("jobs/_job.html").render(job=job)
    response = make_response(text)
    if not seen.active:
        trigger(response, "job-ended")
    return _tagged(response, tag)


@bp.get("/jobs/<job_id>/log")
def show_log(job_id: str) -> Response:
    """The log lines of an attempt after the one that the page has."""
    job = _job(job_id)
    attempt = request.args.get("attempt", job.attempt, type=number)
    log = _log(job, attempt)
    if not log["lines"] and log["live"]:
        return make_response("", 204)  # htmx keeps what it has and asks again
    return fragment("jobs/_log.html", log=log, job=_view(job), shown_attempt=attempt)


@bp.post("/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> Response:
    """End a queued job, or ask a running one to stop."""
    job = _job(job_id)
    service.cancel(
        session(),
        kinds=services().kinds,
        actor=current_actor(),
        job=job,
        settings=services().runtime.settings,
        waker=services().waker,
        now=services().runtime.clock(),
        address=_address(),
    )
    session().commit()
    return _answer(job)


@bp.post("/jobs/<job_id>/retry")
def retry_job(job_id: str) -> Response:
    """Make a new attempt, or join the equal job that is active."""
    submitted = service.retry(
        session(),
        kinds=services().kinds,
        actor=current_actor(),
        job=_job(job_id),
        waker=services().waker,
        now=services().runtime.clock(),
        address=_address(),
    )
    session().commit()
    if not submitted.joined:
        return _answer(submitted.job)
    toast = {"text": "The same was asked for already; here is that job.", "kind": "info"}
    return trigger(_answer(submitted.job), json.dumps({"toast": toast}))


@bp.get("/notifications")
def list_notifications() -> Response:
    """One's own messages, the newest first."""
    before = request.args.get("older", type=number)
    found, older = inbox.messages(session(), actor=current_actor(), before=before)
    return page("notifications/index.html", messages=found, older=older, first=before is None)


@bp.post("/notifications/<int:message_id>/read")
def read_notification(message_id: int) -> Response:
    """Mark one message as read, and go to what it is about."""
    now = services().runtime.clock()
    url = inbox.mark_read(session(), actor=current_actor(), message_id=message_id, now=now)
    session().commit()
    return go(url)


@bp.post("/notifications/read")
def read_notifications() -> Response:
    """Mark all messages as read."""
    inbox.mark_all_read(session(), actor=current_actor(), now=services().runtime.clock())
    session().commit()
    return go("/notifications")


@bp.get("/schedules")
def list_schedules() -> Response:
    """All schedules for who manages them, else one's own; with their next runs."""
    return _schedules_page(_schedule_form())


@bp.post("/schedules")
@requires(Permission.SCHEDULES_MANAGE)
def create_schedule() -> Response:
    """Put a job on a schedule."""
    form = _schedule_form()
    if form is None or not form.validate_on_submit():
        return _schedules_page(form, 422)
    runtime = services().runtime
    schedules.create(
        session(),
        actor=current_actor(),
        offer=form.chosen,
        cron=form.cron.data,
        zone=runtime.settings.zone,
        now=runtime.clock(),
        address=_address(),
    )
    session().commit()
    return go("/schedules")


@bp.post("/schedules/<int:schedule_id>/<any(pause,resume,remove,run):action>")
def change_schedule(schedule_id: int, action: str) -> Response:
    """Pause, resume, delete or run a schedule: any for who manages them, else one's own."""
    job = schedules.change(
        session(),
        schedule_id=schedule_id,
        action=action,
        actor=current_actor(),
        runtime=services().runtime,
        kinds=services().kinds,
        waker=services().waker,
        address=_address(),
    )
    session().commit()
    return go("/schedules" if job is None else f"/jobs/{job.id}")


def _job(job_id: str) -> Job:
    return service.get_job(session(), kinds=services().kinds, actor=current_actor(), job_id=job_id)


def _view(job: Job) -> views.JobView:
    return views.view_job(
        session(),
        runtime=services().runtime,
        kinds=services().kinds,
        actor=current_actor(),
        job=job,
    )


def _page_link(job: Job) -> views.Link | None:
    """The page that shows what the job came to, for who may look there."""
    kind = services().kinds.find(job.kind)
    url = kind.page(current_actor(), job) if kind else ""
    return views.Link(url=url, label=kind.page_label) if kind and url else None


def _answer(job: Job) -> Response:
    """The fragment for htmx, the job's page for a plain form."""
    return fragment("jobs/_job.html", job=_view(job)) if is_htmx() else go(f"/jobs/{job.id}")


def _tagged(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _tracebacks(job: Job) -> dict[int, str]:
    """Tracebacks are for administrators; nobody else's page has them in it."""
    if not current_actor().may(Permission.JOBS_MANAGE_ALL):
        return {}
    return queries.tracebacks(session(), job_id=job.id)


def _log(job: Job, attempt: int) -> dict[str, Any]:
    lines = queries.log_lines(
        session(),
        job_id=job.id,
        attempt=attempt,
        before=request.args.get("before", type=number),
        after=request.args.get("after", type=number),
    )
    return {
        "lines": lines,
        "last": lines[-1].id if lines else request.args.get("after", 0, type=number),
        "earlier": lines[0].id if len(lines) == queries.LOG_PAGE else None,
        "live": JobState(job.state).active and attempt == job.attempt,
    }


def _schedule_form() -> ScheduleForm | None:
    """The form of a new schedule, for who may make one."""
    if not current_actor().may(Permission.SCHEDULES_MANAGE):
        return None
    kinds = services().kinds
    return ScheduleForm(schedules.offers(session(), kinds=kinds, actor=current_actor()))


def _schedules_page(form: ScheduleForm | None, status: int = 200) -> Response:
    found = schedules.list_schedules(session(), actor=current_actor())
    zone = services().runtime.settings.zone
    plans = schedules.plans(session(), found, zone=zone, now=services().runtime.clock())
    context = {"form": form, "plans": plans, "schedules_url": "/schedules", "zone": zone.key}
    return page("schedules/index.html", status, **context)


def _address() -> str:
    return request.remote_addr or ""
