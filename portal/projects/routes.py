"""The pages of projects: list, pages and files; what admins do is in `administration`."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from markupsafe import Markup

from portal.accounts.permissions import Permission
from portal.errors import ConflictError
from portal.projects import files, pages, service
from portal.projects.administration.routes import bp as administration
from portal.projects.administration.routes import frame, now_and_here, standing_in
from portal.projects.forms import NewProjectForm, policy_from
from portal.projects.models import Policy
from portal.projects.online import show_online
from portal.projects.storage import stored_path
from portal.web.access import answers_file, current_actor, go, protect, requires
from portal.web.extensions import services, session
from portal.web.files import send_file
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

PROJECTS_SHOWN = 50
LINES_SHOWN = 100
_ID, _NAME, _PATH = attrgetter("project.id"), attrgetter("name"), attrgetter("path")

bp = Blueprint("projects", __name__)
protect(bp, Permission.SIGN_IN)
bp.register_blueprint(administration)


@bp.get("/projects")
def list_projects() -> Response:
    """The projects that one may see; for htmx the list alone."""
    actor, text = current_actor(), _asked("text")
    policy = policy_from(request.args.get("policy", ""))
    found = service.list_projects(
        session(),
        actor=actor,
        text=text,
        policy=policy,
        after=_asked("after"),
        limit=PROJECTS_SHOWN + 1,
    )
    context: dict[str, Any] = {
        "text": text,
        "policy": policy or "",
        "policies": list(Policy),
        "may_create": actor.may(Permission.PROJECTS_CREATE),
    }
    context |= _first_of(
        found, PROJECTS_SHOWN, _ID, url="/projects", text=text, policy=policy or ""
    )
    if is_htmx():
        return fragment("projects/_list.html", **context)
    return page("projects/index.html", **context)


@bp.get("/projects/new")
@requires(Permission.PROJECTS_CREATE)
def show_new_project() -> Response:
    """The form for another project."""
    return page("projects/new.html", form=NewProjectForm())


@bp.post("/projects")
@requires(Permission.PROJECTS_CREATE)
def create_project() -> Response:
    """Make a project; who makes it becomes its ProjectAdmin."""
    form = NewProjectForm()
    if not form.validate_on_submit():
        return page("projects/new.html", 422, form=form)
    try:
        project = service.create_project(
            session(),
            actor=current_actor(),
            project_id=form.id.data,
            title=form.title.data,
            policy=Policy(form.policy.data),
            **now_and_here(),
        )
    except ConflictError as error:
        form.id.errors = [str(error)]
        return page("projects/new.html", 422, form=form)
    session().commit()
    return go(f"/projects/{project.id}")


@bp.get("/projects/<project_id>")
def show_project(project_id: str) -> Response:
    """A project and its pages; for htmx the list of pages alone."""
    url = f"/projects/{project_id}"
    return _show_lines(project_id, pages.list_pages, _NAME, url=url, whole="show", part="_pages")


@bp.get("/projects/<project_id>/pages/<path:name>")
def show_page(project_id: str, name: str) -> Response:
    """One page, safe to look at, with its links and pictures alive."""
    standing = standing_in(project_id)
    found = pages.get_page(session(), project_id=project_id, name=name)
    portal_url = services().runtime.settings.public_url or request.url_root
    body = Markup(show_online(session(), found, portal_url=portal_url))  # noqa: S704 (sanitised)
    return page("projects/page.html", standing=standing, shown=found, body=body)


@bp.get("/projects/<project_id>/files")
def list_files(project_id: str) -> Response:
    """A project's files; for htmx the list alone."""
    url = f"/projects/{project_id}/files"
    return _show_lines(project_id, files.list_files, _PATH, url=url, whole="files", part="_files")


@bp.get("/projects/<project_id>/files/<path:path>")
@answers_file
def download_file(project_id: str, path: str) -> Response:
    """One file: plain pictures may be shown, everything else is a download."""
    standing_in(project_id)
    file = files.get_file(session(), project_id=project_id, path=path)
    settings = services().runtime.settings
    return send_file(
        stored_path(settings, project_id=project_id, stored=file.stored),
        name=PurePosixPath(file.path).name,
        size=file.size,
        sha256=file.sha256,
        media_type=file.media_type,
        inline=True,
    )


def _show_lines(
    project_id: str,
    list_lines: Callable[..., Sequence[Any]],
    mark: Callable[[Any], str],
    *,
    url: str,
    whole: str,
    part: str,
) -> Response:
    """The page called `whole` with lines of a project; for htmx its fragment `part` alone."""
    standing, text = standing_in(project_id), _asked("text")
    found = list_lines(
        session(), project_id=project_id, text=text, after=_asked("after"), limit=LINES_SHOWN + 1
    )
    lines = _first_of(found, LINES_SHOWN, mark, url=url, text=text)
    context: dict[str, Any] = {"standing": standing, "text": text, **lines}
    if is_htmx():
        return fragment(f"projects/{part}.html", **context)
    return page(f"projects/{whole}.html", **context | frame(standing))


def _first_of(
    found: Sequence[Any], size: int, mark: Callable[[Any], str], *, url: str, **asked: str
) -> dict[str, Any]:
    """The `lines` to show and `more_url`, the address of those after the last one's mark."""
    lines = found[:size]
    if len(found) == len(lines):
        return {"lines": lines, "more_url": None}
    kept = {name: value for name, value in asked.items() if value}
    return {"lines": lines, "more_url": f"{url}?{urlencode({**kept, 'after': mark(lines[-1])})}"}


def _asked(name: str) -> str:
    """What the address asks for; no NUL, which PostgreSQL cannot compare."""
    return request.args.get(name, "").replace("\0", "").strip()[:1000]
