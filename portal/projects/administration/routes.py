"""The pages that are mostly for ProjectAdmins: members, settings, exports."""

from typing import Any

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.artifacts.handouts import ARTIFACT, deliver_base
from portal.errors import ConflictError, InvalidError
from portal.jobs.views import view_job, view_latest
from portal.projects import exports, members, service
from portal.projects.export_content import ExportOptions
from portal.projects.files import count_files
from portal.projects.forms import ExportForm, MemberForm, SettingsForm
from portal.projects.models import Policy, ProjectRole
from portal.projects.pages import count_pages
from portal.projects.rights import Right
from portal.projects.service import Standing
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page
from portal.web.signed_in import address

bp = Blueprint("administration", __name__)
protect(bp, Permission.SIGN_IN)


@bp.get("/projects/<project_id>/members")
def list_members(project_id: str) -> Response:
    """Who belongs to a project; ProjectAdmins change it here."""
    return _members_page(standing_in(project_id), MemberForm())


@bp.post("/projects/<project_id>/members")
def set_member(project_id: str) -> Response:
    """Add a member, or give one another role."""
    standing, form = standing_in(project_id, Right.MANAGE), MemberForm()
    if not form.validate_on_submit():
        return _members_page(standing, form, 422)
    try:
        members.set_member(
            session(),
            actor=current_actor(),
            project_id=project_id,
            name=form.name.data,
            role=ProjectRole(form.role.data),
            **now_and_here(),
        )
    except (ConflictError, InvalidError) as error:
        session().rollback()
        form.name.errors = [str(error)]
        return _members_page(standing_in(project_id), form, 422)
    session().commit()
    return go(f"/projects/{project_id}/members")


@bp.post("/projects/<project_id>/members/remove")
def remove_member(project_id: str) -> Response:
    """Take a member out; the last ProjectAdmin stays."""
    members.remove_member(
        session(),
        actor=current_actor(),
        project_id=project_id,
        name=request.form.get("name", ""),
        **now_and_here(),
    )
    session().commit()
    return go(f"/projects/{project_id}/members")


@bp.get("/projects/<project_id>/settings")
def show_settings(project_id: str) -> Response:
    """The form for title and policy."""
    standing = standing_in(project_id, Right.MANAGE)
    form = SettingsForm(obj=standing.project)
    return page("projects/settings.html", form=form, **frame(standing))


@bp.post("/projects/<project_id>/settings")
def change_settings(project_id: str) -> Response:
    """Save title and policy."""
    standing, form = standing_in(project_id, Right.MANAGE), SettingsForm()
    if not form.validate_on_submit():
        return page("projects/settings.html", 422, form=form, **frame(standing))
    service.change_settings(
        session(),
        actor=current_actor(),
        project_id=project_id,
        title=form.title.data,
        policy=Policy(form.policy.data),
        **now_and_here(),
    )
    session().commit()
    flash("The settings are saved.", "success")
    return go(f"/projects/{project_id}/settings")


@bp.get("/projects/<project_id>/exports")
def list_exports(project_id: str) -> Response:
    """The export panel; for htmx the finished exports alone."""
    standing = standing_in(project_id, Right.EXPORT)
    kept = services().runtime.settings.exports_kept
    finished = exports.list_exports(session(), project_id=project_id, limit=kept)
    context: dict[str, Any] = {
        "exports": finished,
        "deliver": deliver_base(current_actor(), ARTIFACT),
    }
    if is_htmx():
        return fragment("projects/_exports.html", standing=standing, **context)
    job = view_latest(
        session(),
        runtime=services().runtime,
        kinds=services().kinds,
        actor=current_actor(),
        kind=exports.KIND,
        subject_kind=service.SUBJECT,
        subject_id=project_id,
    )
    return page(
        "projects/exports.html",
        form=ExportForm(),
        kept=kept,
        job=job,
        **context,
        **frame(standing),
    )


@bp.post("/projects/<project_id>/exports")
def create_export(project_id: str) -> Response:
    """Ask for an export; whoever asks again joins the one that is active."""
    form = ExportForm()
    submitted = exports.create_export(
        session(),
        actor=current_actor(),
        project_id=project_id,
        options=ExportOptions(
            pages_with_files=form.pages_with_files.data,
            history=form.history.data,
            members_and_settings=form.members_and_settings.data,
        ),
        kinds=services().kinds,
        waker=services().waker,
        **now_and_here(),
    )
    session().commit()
    if not is_htmx():
        return go(f"/projects/{project_id}/exports")
    job = view_job(
        session(),
        runtime=services().runtime,
        kinds=services().kinds,
        actor=current_actor(),
        job=submitted.job,
    )
    return fragment("jobs/_job.html", job=job)


def standing_in(project_id: str, right: Right = Right.VIEW) -> Standing:
    """The project as the asker stands to it; raises NotFoundError or ForbiddenError."""
    return service.get_standing(
        session(), actor=current_actor(), project_id=project_id, right=right
    )


def frame(standing: Standing) -> dict[str, Any]:
    """What stands above every page of a project: its facts, counts and tabs."""
    project_id = standing.project.id
    file_count, file_bytes = count_files(session(), project_id)
    return {
        "standing": standing,
        "page_count": count_pages(session(), project_id),
        "file_count": file_count,
        "file_bytes": file_bytes,
        "member_count": len(members.list_members(session(), project_id)),
        "may_manage": standing.may(Right.MANAGE),
        "may_export": standing.may(Right.EXPORT),
    }


def now_and_here() -> dict[str, Any]:
    """When and from where somebody does something."""
    return {"now": services().runtime.clock(), "address": address()}


def _members_page(standing: Standing, form: MemberForm, status: int = 200) -> Response:
    found = members.list_members(session(), standing.project.id)
    return page(
        "projects/members.html",
        status,
        form=form,
        members=found,
        roles=list(ProjectRole),
        **frame(standing),
    )
