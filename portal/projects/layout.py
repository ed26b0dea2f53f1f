"""Where everything lies in an export: names that every file system accepts and keeps apart."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.projects.disk_tables import DiskTable, DiskTables
from portal.projects.export_content import ExportedProject, FileName, PageName

README = "README.txt"
INDEX = "index.html"
PAGES_INDEX = "pages/index.html"
DEAD_LINKS = "dead-links.txt"
MANIFEST = "manifest.json"
SETTINGS = "project/settings.json"
MEMBERS = "project/members.json"
HISTORY = "project/history/versions.jsonl"
_PART_BYTES = 200
_UNPORTABLE = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


class Names:
    """Gives out paths: no two are the same in whatever case, and none is another's folder."""

    def __init__(self, tables: DiskTables) -> None:
        self._files, self._folders, self._given = tables.table(), tables.table(), tables.table()
        self._given[""] = ""

    def take(self, wanted: str) -> str:
        """Return a portable path like `wanted` that nothing else has."""
        folder, _, name = wanted.rpartition("/")
        path = self._free(self._folder(folder), portable(name), beside_folders=False)
        self._files[_key(path)] = ""
        return path

    def _folder(self, wanted: str) -> str:
        known = ""
        for part in wanted.split("/") if wanted not in self._given else ():
            step = f"{known}/{part}".lstrip("/")
            if step not in self._given:
                given = self._free(self._given[known], portable(part), beside_folders=True)
                self._given[step] = given
                self._folders[_key(given)] = ""
            known = step
        return self._given[wanted]

    def _free(self, folder: str, name: str, *, beside_folders: bool) -> str:
        stem, dot, suffix = name.rpartition(".")
        if not stem:
            stem, dot, suffix = name, "", ""
        path, number = f"{folder}/{name}".lstrip("/"), 1
        while self._taken(_key(path), beside_folders=beside_folders):
            number += 1
            path = f"{folder}/{stem}-{number}{dot}{suffix}".lstrip("/")
        return path

    def _taken(self, key: str, *, beside_folders: bool) -> bool:
        return key in self._files or (key in self._folders and not beside_folders)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The path in the zip of each page, source and file, and of what is generated beside them.

    `pages` and `sources` are keyed by the page's name, `files` by the file's path; `names` has
    the page's name by the file name that it was loaded from. All keys are in NFC. `index` is None
    where a page stands in that place.
    """

    style: str
    index: str | None
    pages: DiskTable
    sources: DiskTable
    names: DiskTable
    files: DiskTable
    titles: DiskTable
    page_count: int
    file_count: int
    file_bytes: int

    def by_title(self) -> Iterator[tuple[str, str]]:
        """The title and the path of every page, in the order of the titles."""
        for _, place in self.titles.items():  # noqa: PERF102 - a table on disk has no values()
            path, _, title = place.partition("\n")
            yield title, path

    def home_of(self, project: ExportedProject) -> str | None:
        """The path of the project's home page, None where there is none."""
        return self.pages.get(nfc(project.home or ""))


def laid_out(pages: Iterable[PageName], files: Iterable[FileName], tables: DiskTables) -> Layout:
    """Decide where each page and file lies; people's names go before generated ones.

    The layout lives as long as `tables`; pages and files are read once.
    """
    planned = _Planned(tables)
    for page in pages:
        planned.add_page(page)
    for file in files:
        planned.add_file(file)
    return planned.layout()


def nfc(name: str) -> str:
    """Return `name` as layouts are keyed."""
    return unicodedata.normalize("NFC", name)


def portable(part: str) -> str:
    """Return `part` as one file name that Linux, macOS and Windows accept; long ones are hashed."""
    name = _UNPORTABLE.sub("_", nfc(part)).rstrip(". ") or "_"
    if _DEVICE.match(name):
        name = f"_{name}"
    if len(name.encode()) <= _PART_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = dot + suffix if stem and len(suffix) <= 10 else ""
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    short = name.encode()[: _PART_BYTES - 40].decode(errors="ignore")
    return f"{short}~{digest}{ending}"


class _Planned:
    """The layout so far."""

    def __init__(self, tables: DiskTables) -> None:
        self._paths = Names(tables)
        self._pages, self._sources, self._names = tables.table(), tables.table(), tables.table()
        self._files, self._titles = tables.table(), tables.table()
        self._has_index = False
        self._page_count = self._file_count = self._file_bytes = 0

    def add_page(self, page: PageName) -> None:
        name, title = nfc(page.name), page.title or page.name
        path = self._paths.take(f"pages/{page.name}.html")
        self._pages[name] = path
        self._sources[name] = self._paths.take(f"sources/{page.file_name or page.name}")
        if page.file_name:
            self._names[nfc(page.file_name)] = name
        self._titles[f"{title.casefold()}\0{self._page_count:09}"] = f"{path}\n{title}"
        self._has_index |= path == PAGES_INDEX
        self._page_count += 1

    def add_file(self, file: FileName) -> None:
        self._files[nfc(file.path)] = self._paths.take(f"pages/{file.path}")
        self._file_count += 1
        self._file_bytes += file.size

    def layout(self) -> Layout:
        return Layout(
            style=self._paths.take("pages/style.css"),
            index=None if self._has_index else self._paths.take(PAGES_INDEX),
            pages=self._pages,
            sources=self._sources,
            names=self._names,
            files=self._files,
            titles=self._titles,
            page_count=self._page_count,
            file_count=self._file_count,
            file_bytes=self._file_bytes,
        )


def _key(path: str) -> str:
    return nfc(path.casefold())
