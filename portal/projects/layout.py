"""Where everything lies in an export: names that every file system accepts and keeps apart."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.projects.export_content import FileName, PageName

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

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._given: dict[str, str] = {"": ""}

    def take(self, wanted: str) -> str:
        """Return a portable path like `wanted` that nothing else has."""
        folder, _, name = wanted.rpartition("/")
        path = self._free(self._folder(folder), portable(name), beside_folders=False)
        self._files.add(_key(path))
        return path

    def _folder(self, wanted: str) -> str:
        known = ""
        for part in wanted.split("/") if wanted not in self._given else ():
            step = f"{known}/{part}".lstrip("/")
            if step not in self._given:
                given = self._free(self._given[known], portable(part), beside_folders=True)
                self._given[step] = given
                self._folders.add(_key(given))
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

    `pages` and `sources` are keyed by the page's name, `files` by the file's path. `index` is
    None where a page called `index` stands in that place.
    """

    style: str
    index: str | None
    pages: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def laid_out(pages: Iterable[PageName], files: Iterable[FileName]) -> Layout:
    """Decide where each page and file lies; people's names go before generated ones."""
    names, page_paths, source_paths = Names(), {}, {}
    for page in pages:
        page_paths[page.name] = names.take(f"pages/{page.name}.html")
        source_paths[page.name] = names.take(f"sources/{page.file_name or page.name}")
    file_paths = {file.path: names.take(f"pages/{file.path}") for file in files}
    return Layout(
        style=names.take("pages/style.css"),
        index=None if PAGES_INDEX in page_paths.values() else names.take(PAGES_INDEX),
        pages=page_paths,
        sources=source_paths,
        files=file_paths,
    )


def portable(part: str) -> str:
    """Return `part` as one file name that Linux, macOS and Windows accept; long ones are hashed."""
    name = _UNPORTABLE.sub("_", unicodedata.normalize("NFC", part)).rstrip(". ") or "_"
    if _DEVICE.match(name):
        name = f"_{name}"
    if len(name.encode()) <= _PART_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = dot + suffix if stem and len(suffix) <= 10 else ""
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    short = name.encode()[: _PART_BYTES - 40].decode(errors="ignore")
    return f"{short}~{digest}{ending}"


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())
