"""What a load would change in a project: new, changed, unchanged and vanished pages and files."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.files import CHUNK
from portal.projects.folders import Found, Tree
from portal.projects.load_plan import LoadPlan, PlannedPage
from portal.projects.models import ProjectFile, ProjectPage
from portal.projects.texts import decode

PAGES_AT_ONCE = 100

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Planned pages and files by what they are to the project, and names that it alone has."""

    new_pages: list[PlannedPage] = field(default_factory=list)
    changed_pages: list[PlannedPage] = field(default_factory=list)
    same_pages: int = 0
    gone_pages: list[str] = field(default_factory=list)
    new_files: dict[str, Found] = field(default_factory=dict)
    changed_files: dict[str, Found] = field(default_factory=dict)
    same_files: int = 0
    gone_files: list[str] = field(default_factory=list)


def all_new(plan: LoadPlan) -> Changes:
    """What a plan changes where there is nothing yet."""
    return Changes(new_pages=list(plan.pages.values()), new_files=dict(plan.files))


def compare(
    session: Session,
    tree: Tree,
    plan: LoadPlan,
    *,
    project_id: str,
    checkpoint: Callable[[], None],
) -> Changes:
    """Compare a plan with what the project has, content by content; writes nothing."""
    new_pages, changed_pages = [], []
    same = 0
    for batch in batched(plan.pages.items(), PAGES_AT_ONCE):
        checkpoint()
        known = _sources(session, project_id, [key for key, _ in batch])
        for key, page in batch:
            if key not in known:
                new_pages.append(page)
            elif known[key] != (page.found.path, read_page(tree, page.found)):
                changed_pages.append(page)
            else:
                same += 1
    files = _known_files(session, project_id)
    new_files = {path: found for path, found in plan.files.items() if path not in files}
    changed_files = {
        path: found
        for path, found in plan.files.items()
        if path in files and not _is_same(tree, found, *files[path], checkpoint=checkpoint)
    }
    return Changes(
        new_pages=new_pages,
        changed_pages=changed_pages,
        same_pages=same,
        gone_pages=sorted(_known_names(session, project_id) - plan.pages.keys()),
        new_files=new_files,
        changed_files=changed_files,
        same_files=len(plan.files) - len(new_files) - len(changed_files),
        gone_files=sorted(files.keys() - plan.files.keys()),
    )


def read_page(tree: Tree, found: Found) -> str:
    """The text of a page file, whatever its encoding."""
    with os.fdopen(tree.open(found), "rb") as stream:
        return decode(stream.read())


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _sources(session: Session, project_id: str, keys: list[str]) -> dict[str, tuple[str, str]]:
    rows = session.execute(
        select(ProjectPage.name_key, ProjectPage.file_name, ProjectPage.source).where(
            ProjectPage.project_id == project_id, ProjectPage.name_key.in_(keys)
        )
    )
    return {row.name_key: (row.file_name, row.source) for row in rows}


def _known_names(session: Session, project_id: str) -> set[str]:
    query = select(ProjectPage.name_key).where(ProjectPage.project_id == project_id)
    return set(session.scalars(query))


def _known_files(session: Session, project_id: str) -> dict[str, tuple[int, str]]:
    rows = session.execute(
        select(ProjectFile.path_key, ProjectFile.size, ProjectFile.sha256).where(
            ProjectFile.project_id == project_id
        )
    )
    return {row.path_key: (row.size, row.sha256) for row in rows}


def _is_same(
    tree: Tree, found: Found, size: int, sha256: str, *, checkpoint: Callable[[], None]
) -> bool:
    if found.size != size:
        return False
    digest = hashlib.sha256()
    with os.fdopen(tree.open(found), "rb") as stream:
        while chunk := stream.read(CHUNK):
            checkpoint()
            digest.update(chunk)
    return digest.hexdigest() == sha256
