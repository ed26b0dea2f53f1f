"""Where the links of a project's pages lead, on the portal and in an exported zip.

A link is read as a browser reads it on the page's own address,
`<portal>/projects/<id>/pages/<name>`, so relative links work as they did in the folder that the
project was loaded from.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from html import escape, unescape
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

_PAGE_SUFFIX = re.compile(r"\.(html?|xhtml|md|markdown)$", re.IGNORECASE)
_OTHER_PROJECT = re.compile(r"/projects/[^/]+/(pages|files)/.")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_TAG = re.compile(r'<(?:a|area|img|source|video|audio|track)((?: [^ "=<>]+(?:="[^"]*")?)+) ?/?>')
_ATTRIBUTE = re.compile(r' ([^ "=<>]+)="([^"]*)"')  # each, or a value could pass for one
_ADDRESSES = frozenset({"href", "src", "poster", "srcset"})
_CANDIDATE = re.compile(r"([^\s,]\S*[^\s,]|[^\s,])([^,]*)(,|$)")
_SAFE = "/!$&'()*+,;=@~"


class Kind(Enum):
    """What a link leads to."""

    PAGE = "page"
    FILE = "file"
    PORTAL = "portal"
    DEAD = "dead"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class Link:
    """`target` is a page's name, a file's path or, for PORTAL, a path on the portal."""

    kind: Kind
    target: str = ""
    tail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relinked:
    """The rewritten HTML, and once each, as written, the links that lead to nothing."""

    html: str
    dead: tuple[str, ...]


class Lookup(Protocol):
    """Texts by text: a dictionary, or a table on disk."""

    def __contains__(self, key: str, /) -> bool:
        """Whether `key` has a value."""

    def __getitem__(self, key: str, /) -> str:
        """The value under `key`; raises KeyError where there is none."""

    def get(self, key: str, /) -> str | None:
        """The value under `key`, None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """What a project's links can reach.

    `pages` maps a page's name, `files` a file's path to the path in the zip; `sources` maps the
    file name that a page was loaded from to its name. All keys are in NFC. `portal_url` is the
    portal's public address, `aliases` are further addresses it goes by.
    """

    project_id: str
    portal_url: str
    pages: Lookup
    sources: Lookup
    files: Lookup
    aliases: Sequence[str] = ()

    def find(self, url: str, *, page: str) -> Link:
        """Return what `url`, as written on the page named `page`, leads to."""
        reference = self._on_portal(url.strip())
        path, tail = _split_tail(reference) if reference is not None else ("", "")
        if not path:
            return Link(Kind.UNTOUCHED)
        folder = page.rpartition("/")[0]
        plain = _plain(path)
        home = f"/projects/{self.project_id}"
        full = plain if plain.startswith("/") else f"{home}/pages/{folder}/{plain}"
        walked = _walk(full)
        if walked.startswith(f"{home}/pages/"):
            return self._in_pages(walked.removeprefix(f"{home}/pages/"), tail)
        if walked.startswith(f"{home}/files/"):
            return self._in_files(walked.removeprefix(f"{home}/files/"), tail)
        if path.startswith("/"):
            return Link(Kind.PORTAL, walked, tail)
        return Link(Kind.PORTAL if _OTHER_PROJECT.match(walked) else Kind.DEAD, walked, tail)

    def offline(self, link: Link, *, page: str) -> str:
        """Return the address of `link` for the page's place in the zip."""
        match link.kind:
            case Kind.PAGE:
                return _relative(self.pages[page], self.pages[link.target]) + link.tail
            case Kind.FILE:
                return _relative(self.pages[page], self.files[link.target]) + link.tail
            case _:
                return self.portal_url.rstrip("/") + quote(link.target, safe=_SAFE) + link.tail

    def online(self, link: Link) -> str:
        """Return the address of `link` for the portal's own view of the page."""
        path = link.target
        if link.kind is not Kind.PORTAL:
            path = f"/projects/{self.project_id}/{link.kind.value}s/{path}"
        return urlsplit(self.portal_url).path.rstrip("/") + quote(path, safe=_SAFE) + link.tail

    def _on_portal(self, url: str) -> str | None:
        """Return `url` without the portal's own address, None where it leads elsewhere."""
        for address in (self.portal_url, *self.aliases):
            base = address.rstrip("/")
            bare = base.partition(":")[2]
            for prefix in (base, bare):
                rest = url[len(prefix) :]
                if prefix and url[: len(prefix)].lower() == prefix.lower() and rest[:1] in "/?#":
                    return rest if rest.startswith("/") else "/" + rest
            prefix = urlsplit(base).path
            if prefix and url.startswith(prefix + "/"):
                return url.removeprefix(prefix)
        return None if url.startswith(("//", "\\")) or _SCHEME.match(url) else url

    def _in_pages(self, path: str, tail: str) -> Link:
        name = self.sources.get(path) or self._page_named(path)
        if name is not None:
            return Link(Kind.PAGE, name, tail)
        return self._in_files(path, tail)

    def _page_named(self, path: str) -> str | None:
        folder = path.rstrip("/")
        bare = _PAGE_SUFFIX.sub("", path)
        for name in (path, bare, folder, f"{folder}/index".lstrip("/")):
            if name in self.pages:
                return name
        return None

    def _in_files(self, path: str, tail: str) -> Link:
        return Link(Kind.FILE if path in self.files else Kind.DEAD, path, tail)


def relink_offline(html: str, *, page: str, links: Links) -> Relinked:
    """Rewrite the links of sanitised `html` for the page's place in the zip; dead ones stay."""
    return _relink(html, page, links, partial(links.offline, page=page))


def relink_online(html: str, *, page: str, links: Links) -> Relinked:
    """Rewrite the links of sanitised `html` for the portal's view of it; dead ones stay."""
    return _relink(html, page, links, links.online)


def _relink(html: str, page: str, links: Links, render: Callable[[Link], str]) -> Relinked:
    dead: dict[str, None] = {}

    def address(url: str) -> str:
        link = links.find(url, page=page)
        if link.kind is Kind.DEAD:
            dead[url.strip()] = None
        return url if link.kind in (Kind.DEAD, Kind.UNTOUCHED) else render(link)

    def candidate(match: re.Match[str]) -> str:
        return address(match[1]) + match[2] + match[3]

    def attribute(match: re.Match[str]) -> str:
        if match[1] not in _ADDRESSES:
            return match[0]
        value = unescape(match[2])
        several = match[1] == "srcset"
        value = _CANDIDATE.sub(candidate, value) if several else address(value)
        return f' {match[1]}="{escape(value)}"'

    def tag(match: re.Match[str]) -> str:
        return _ATTRIBUTE.sub(attribute, match[0])

    return Relinked(html=_TAG.sub(tag, html), dead=tuple(dead))


def _split_tail(url: str) -> tuple[str, str]:
    """Split `url` into its path and its query with fragment."""
    for place, char in enumerate(url):
        if char in "?#":
            return url[:place], url[place:]
    return url, ""


def _plain(path: str) -> str:
    """Return `path` decoded, in NFC, with a browser's reading of backslashes."""
    return unicodedata.normalize("NFC", unquote(path.replace("\\", "/")))


def _walk(path: str) -> str:
    """Return absolute `path` without `.`, `..` and empty parts; a final slash stays."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    last = path.rpartition("/")[2]
    return "/" + "/".join(parts) + ("/" if last in ("", ".", "..") and parts else "")


def _relative(here: str, there: str) -> str:
    """Return the quoted address of archive path `there` seen from archive path `here`."""
    start, goal = here.split("/")[:-1], there.split("/")
    common = 0
    while common < min(len(start), len(goal) - 1) and start[common] == goal[common]:
        common += 1
    return "../" * (len(start) - common) + quote("/".join(goal[common:]), safe=_SAFE)
