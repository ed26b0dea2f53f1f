"""What a folder becomes in a project: which files are pages, under which names. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.projects.folders import Found, Skipped
from portal.projects.models import PageFormat
from portal.projects.pages import SOURCE_BYTES, name_key

_PAGE = re.compile(r"\.(html?|xhtml|md|markdown)$", re.IGNORECASE)
_MARKDOWN = re.compile(r"\.(md|markdown)$", re.IGNORECASE)
_HOMES = ("index", "readme", "home")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedPage:
    """A file that becomes the page `name`."""

    found: Found
    name: str
    format: PageFormat


@dataclass(frozen=True, kw_only=True, slots=True)
class Apart:
    """Two files that would have had one name, and how the later one was kept apart."""

    path: str
    like: str
    kept_as: str


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """Pages and files by their names, what is skipped and what is kept apart."""

    pages: dict[str, PlannedPage] = field(default_factory=dict)
    files: dict[str, Found] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The bytes of all files that become pages or files."""
        pages = sum(page.found.size for page in self.pages.values())
        return pages + sum(found.size for found in self.files.values())

    @property
    def home(self) -> str | None:
        """The page to begin with: `index`, `readme` or `home` at the top, else the first one."""
        for name in _HOMES:
            if name in self.pages:
                return self.pages[name].name
        top = sorted(self.pages, key=lambda name: (name.count("/"), name))
        return self.pages[top[0]].name if top else None


def plan_load(entries: Iterable[Found | Skipped]) -> LoadPlan:
    """Decide what becomes of each entry. Pages' names are unique in whatever case.

    Files keep their paths, which pages link to; the export keeps them apart in whatever case.
    """
    plan = LoadPlan()
    for entry in entries:
        if isinstance(entry, Skipped):
            plan.skipped.append(entry)
        elif _PAGE.search(entry.path) and entry.size <= SOURCE_BYTES:
            _plan_page(plan, entry)
        else:
            _plan_file(plan, entry)
    return plan


def _plan_page(plan: LoadPlan, found: Found) -> None:
    wanted = _PAGE.sub("", found.path)
    name, number = wanted, 1
    while name_key(name) in plan.pages:
        number += 1
        name = f"{wanted}-{number}"
    if number > 1:
        like = plan.pages[name_key(wanted)].found.path
        plan.apart.append(Apart(path=found.path, like=like, kept_as=name))
    markdown = _MARKDOWN.search(found.path)
    plan.pages[name_key(name)] = PlannedPage(
        found=found, name=name, format=PageFormat.MARKDOWN if markdown else PageFormat.HTML
    )


def _plan_file(plan: LoadPlan, found: Found) -> None:
    """Two files have one path only where their names differ in Unicode's normal form."""
    stem, dot, suffix = found.path.rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem and "/" not in suffix else (found.path, "")
    path, number = found.path, 1
    while path in plan.files:
        number += 1
        path = f"{stem}-{number}{suffix}"
    if number > 1:
        plan.apart.append(Apart(path=found.path, like=found.path, kept_as=path))
    plan.files[path] = found
