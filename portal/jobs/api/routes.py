"""Jobs for programs: look, list, cancel, retry."""

from flask import Response

from portal.accounts.permissions import Permission
from portal.jobs import queries, service, views
from portal.jobs.api.answers import (
    Job,
    JobList,
    JobsWanted,
    Retried,
    job_of,
    summary_of,
)
from portal.jobs.models import Job as JobRow
from portal.jobs.queries import JobFilter
from portal.web.access import current_actor, protect
from portal.web.api import answer_json, api_blueprint, describes, given
from portal.web.extensions import services, session
from portal.web.signed_in import address

bp = api_blueprint("jobs_api", __name__)
protect(bp, Permission.SIGN_IN)


@bp.get("/jobs")
@describes("The jobs that one may list, the newest first", answer=JobList, takes=JobsWanted,
           refuses=(422,))  # fmt: skip
def list_jobs() -> Response:
    """A page of one's own jobs; of all of them where the token may view all."""
    wanted, actor = given(JobsWanted), current_actor()
    found = queries.list_jobs(
        session(),
        actor=actor,
        wanted=JobFilter(
            all_users=actor.may(Permission.JOBS_VIEW_ALL),
            area=wanted.area or "",
            state=wanted.state or "",
            older_than=wanted.after,
        ),
        size=wanted.limit,
    )
    shown = views.view_rows(found.rows, runtime=services().runtime)
    more = shown[-1].number if shown and found.older else None
    return answer_json(JobList(jobs=[summary_of(view) for view in shown], next=more))


@bp.get("/jobs/<job_id>")
@describes("One job", answer=Job)
def show_job(job_id: str) -> Response:
    """Everything about one job; `job_id` may be a unique beginning of its id."""
    return answer_json(_answer(_job(job_id)))


@bp.post("/jobs/<job_id>/cancel")
@describes("End a queued job, or ask a running one to stop", answer=Job, refuses=(409,))
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
        address=address(),
    )
    session().commit()
    return answer_json(_answer(job))


@bp.post("/jobs/<job_id>/retry")
@describes("Make a new attempt of an ended job", answer=Retried, refuses=(409,))
def retry_job(job_id: str) -> Response:
    """Make a new attempt, or join the equal job that is active."""
    submitted = service.retry(
        session(),
        kinds=services().kinds,
        actor=current_actor(),
        job=_job(job_id),
        waker=services().waker,
        now=services().runtime.clock(),
        address=address(),
    )
    session().commit()
    return answer_json(Retried(job=_answer(submitted.job), joined=submitted.joined))


def _job(job_id: str) -> JobRow:
    return service.get_job(session(), kinds=services().kinds, actor=current_actor(), job_id=job_id)


def _answer(job: JobRow) -> Job:
    return job_of(
        views.view_job(
            session(),
            runtime=services().runtime,
            kinds=services().kinds,
            actor=current_actor(),
            job=job,
        )
    )
