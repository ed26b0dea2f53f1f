"""Loading a folder of documents as a project: whole, or not at all."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.errors import ConflictError, ForbiddenError, InvalidError
from portal.projects.folders import Tree
from portal.projects.load_compare import Changes, all_new, compare
from portal.projects.load_order import LoadOrder, LoadReport, OnConflict
from portal.projects.load_plan import LoadPlan, plan_load
from portal.projects.load_writing import LoadWriting, remove_named, take_back
from portal.projects.models import Project, ProjectFile, ProjectPage
from portal.projects.pages import name_key
from portal.projects.rights import Right
from portal.projects.service import (
    checked_id,
    checked_title,
    create_project,
    get_standing,
    id_from,
    record_change,
)
from portal.projects.storage import check_room, forget_folder
from portal.runtime import Runtime

ABANDONED = timedelta(minutes=15)
ALIVE = "The project {!r} is being loaded at this moment; wait for it, or choose another id."
TAKEN = (
    "There is a project {!r} already. Choose what to do: --on-conflict skip, replace, update "
    "or new-name."
)

Progress = Callable[[int, int], None]


def load_folder(
    runtime: Runtime,
    *,
    order: LoadOrder,
    actor: Actor,
    progress: Progress = lambda *_: None,
    checkpoint: Callable[[], None] = lambda: None,
) -> LoadReport:
    """Load a folder as a project of `actor`; a load that fails leaves the project as it was.

    `progress` is told done and total bytes. Raises InvalidError, ConflictError, ForbiddenError.
    """
    if order.title:
        checked_title(order.title)  # before anything is written
    project_id = checked_id(order.project_id or id_from(order.folder.resolve().name))
    project_id, known = _decide(runtime, project_id, order=order, actor=actor)
    if known and order.on_conflict is OnConflict.SKIP:
        return LoadReport(project_id=project_id, outcome="skipped", dry_run=order.dry_run)
    with Tree(order.folder) as tree:
        load = _Load(runtime, tree, project_id, order, actor, progress, checkpoint)
        return load.into_known() if known else load.into_new()


def remove_abandoned_loads(runtime: Runtime) -> int:
    """Remove projects whose load was killed before they were whole; returns how many."""
    before = runtime.clock() - ABANDONED
    with runtime.reads() as session:
        found = list(session.scalars(select(Project.id).where(Project.loading_at < before)))
    for project_id in found:
        discard(runtime, project_id)
    return len(found)


def discard(runtime: Runtime, project_id: str) -> None:
    """Remove a project that is still being loaded, rows first, then its files."""
    with runtime.reads() as session:
        pages = select(ProjectPage.name_key).where(ProjectPage.project_id == project_id)
        files = select(ProjectFile.path_key).where(ProjectFile.project_id == project_id)
        names, paths = list(session.scalars(pages)), list(session.scalars(files))
    remove_named(runtime, project_id=project_id, pages=names, files=paths)
    with runtime.sessions.begin() as session:
        project = session.get(Project, project_id)
        if project is not None:
            session.delete(project)
    forget_folder(runtime.settings, project_id)


class _Load:
    """One load: the open folder, its plan, and where it goes."""

    def __init__(
        self,
        runtime: Runtime,
        tree: Tree,
        project_id: str,
        order: LoadOrder,
        actor: Actor,
        progress: Progress,
        checkpoint: Callable[[], None],
    ) -> None:
        self._runtime, self._tree, self._id = runtime, tree, project_id
        self._order, self._actor = order, actor
        self._progress, self._checkpoint = progress, checkpoint
        self._plan = plan_load(tree.walk())
        self._done = 0
        if not self._plan.pages and not self._plan.files:
            raise InvalidError(f"There is nothing to load in {order.folder}.")

    def into_new(self) -> LoadReport:
        changes = all_new(self._plan)
        self._check_room(held=0)
        if self._order.dry_run:
            return self._report("created", changes)
        with self._runtime.sessions.begin() as session:
            create_project(
                session,
                actor=self._actor,
                project_id=self._id,
                title=self._order.title or self._order.folder.resolve().name,
                policy=self._order.policy,
                now=self._runtime.clock(),
                address=self._order.address,
                loading=True,
            )
        try:
            writing = self._writing()
            writing.files(changes.new_files, known=False)
            writing.pages(changes.new_pages, known=False)
            return self._finished("created", changes)
        except BaseException:
            discard(self._runtime, self._id)
            raise

    def into_known(self) -> LoadReport:
        replace = self._order.on_conflict is OnConflict.REPLACE
        with self._runtime.reads() as session:
            right = Right.MANAGE if replace or self._order.title else Right.EDIT
            get_standing(session, actor=self._actor, project_id=self._id, right=right)
            changes = compare(
                session,
                self._tree,
                self._plan,
                project_id=self._id,
                checkpoint=self._checkpoint,
            )
            self._check_room(held=0 if replace else _held_bytes(session, self._id, self._plan))
        outcome = "replaced" if replace else "updated"
        if self._order.dry_run:
            return self._report(outcome, changes)
        writing = self._writing()
        try:
            writing.files(changes.new_files, known=False)
            writing.files(changes.changed_files, known=True)
            writing.pages(changes.new_pages, known=False)
            writing.pages(changes.changed_pages, known=True)
        except BaseException:
            take_back(self._runtime, writing.undo)
            raise
        if replace:  # from here on only forward; a repeated load completes it
            remove_named(
                self._runtime,
                project_id=self._id,
                pages=changes.gone_pages,
                files=changes.gone_files,
            )
        return self._finished(outcome, changes)

    def _writing(self) -> LoadWriting:
        return LoadWriting(
            self._runtime,
            self._tree,
            project_id=self._id,
            actor=self._actor,
            comment="Loaded from a folder",
            told=self._told,
        )

    def _told(self, size: int) -> None:
        self._checkpoint()
        self._done += size
        self._progress(self._done, self._plan.size)

    def _check_room(self, *, held: int) -> None:
        size = self._plan.size
        check_room(self._runtime.settings, coming=size, project_bytes=size + held)

    def _finished(self, outcome: str, changes: Changes) -> LoadReport:
        """Show the whole project, in one transaction."""
        report = self._report(outcome, changes)
        now = self._runtime.clock()
        with self._runtime.sessions.begin() as session:
            values: dict[str, object] = {"updated_at": now, "loading_at": None}
            if self._order.title:
                values["title"] = checked_title(self._order.title)
            if not _has_home(session, self._id):
                values["home"] = self._plan.home
            session.execute(update(Project).where(Project.id == self._id).values(**values))
            record_change(
                session,
                actor=self._actor,
                action="project.load",
                project_id=self._id,
                now=now,
                address=self._order.address,
                detail={"outcome": outcome, "pages": report.pages, "files": report.files},
            )
        return report

    def _report(self, outcome: str, changes: Changes) -> LoadReport:
        replace = outcome == "replaced"
        return LoadReport(
            project_id=self._id,
            outcome=outcome,
            dry_run=self._order.dry_run,
            pages=len(self._plan.pages),
            files=len(self._plan.files),
            size=self._plan.size,
            new_pages=len(changes.new_pages),
            changed_pages=len(changes.changed_pages),
            removed_pages=len(changes.gone_pages) if replace else 0,
            new_files=len(changes.new_files),
            changed_files=len(changes.changed_files),
            removed_files=len(changes.gone_files) if replace else 0,
            skipped=self._plan.skipped,
            apart=self._plan.apart,
        )


def _decide(
    runtime: Runtime, project_id: str, *, order: LoadOrder, actor: Actor
) -> tuple[str, bool]:
    """The id to load into, and whether the project is there already."""
    state = _state(runtime, project_id)
    if state == "abandoned" and not order.dry_run:
        discard(runtime, project_id)
    if state == "loading":
        raise ConflictError(ALIVE.format(project_id))
    if state == "ready" and order.on_conflict is OnConflict.REFUSE:
        raise ConflictError(TAKEN.format(project_id))
    known = state == "ready" and order.on_conflict is not OnConflict.NEW_NAME
    if not known and not actor.may(Permission.PROJECTS_CREATE):
        raise ForbiddenError("Only members may create projects; ask an administrator.")
    if state == "ready" and not known:
        return _free_id(runtime, project_id), False
    return project_id, known


def _state(runtime: Runtime, project_id: str) -> str:
    with runtime.reads() as session:
        row = session.execute(
            select(Project.loading_at).where(Project.id == project_id)
        ).one_or_none()
    if row is None:
        return "free"
    if row.loading_at is None:
        return "ready"
    return "abandoned" if row.loading_at < runtime.clock() - ABANDONED else "loading"


def _free_id(runtime: Runtime, project_id: str) -> str:
    number = 2
    while _state(runtime, f"{project_id}-{number}") != "free":
        number += 1
    return checked_id(f"{project_id}-{number}")


def _held_bytes(session: Session, project_id: str, plan: LoadPlan) -> int:
    """The bytes that the project keeps beside what the plan brings."""
    rows = session.execute(
        select(ProjectFile.path_key, ProjectFile.size).where(ProjectFile.project_id == project_id)
    )
    return sum(row.size for row in rows if row.path_key not in plan.files)


def _has_home(session: Session, project_id: str) -> bool:
    home = session.scalar(select(Project.home).where(Project.id == project_id))
    if home is None:
        return False
    query = select(func.count()).where(
        ProjectPage.project_id == project_id, ProjectPage.name_key == name_key(home)
    )
    return session.scalar(query) == 1
