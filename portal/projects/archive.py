"""A project as one zip that opens offline, verified before it appears under its name."""

import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import IO

from portal.errors import ConflictError
from portal.files import fsync_folder, written_aside
from portal.projects import export_json, front_matter, layout
from portal.projects.disk_tables import DiskTables
from portal.projects.export_content import (
    ExportContent,
    ExportedFile,
    ExportedPage,
    Stage,
)
from portal.projects.layout import Layout, laid_out, nfc
from portal.projects.manifest import Manifest
from portal.projects.markup import offline_page, render_page
from portal.projects.relink import Links, Lookup, relink_offline
from portal.projects.verification import verify_zip
from portal.projects.zip_writer import Entry, ZipWriter

Progress = Callable[[Stage, int, int], None]
_BLOCK = 256 * 1024
_IN_MEMORY = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ArchiveReport:
    """What was written: entries with the manifest, bytes before packing, links that were dead."""

    entries: int
    source_bytes: int
    size: int
    dead_links: int


def write_zip(
    target: Path,
    content: ExportContent,
    *,
    progress: Progress = lambda *_: None,
    checkpoint: Callable[[], None] = lambda: None,
) -> ArchiveReport:
    """Write `content` to `target`, which appears whole and verified or stays as it was.

    `progress` is told stage, done and total: pages and versions in number, files and verifying in
    bytes. `checkpoint` is called at each page and every few megabytes; what it raises ends it all.
    """
    aside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.part")
    try:
        with written_aside(aside) as stream:
            writing = _Writing(content, stream, progress, checkpoint)
            writing.run()
        _verify(aside, writing)
        size = aside.stat().st_size
        aside.replace(target)
        fsync_folder(target.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return ArchiveReport(
        entries=writing.manifest_count + 1,
        source_bytes=writing.source_bytes,
        size=size,
        dead_links=writing.dead_links,
    )


def _verify(path: Path, writing: "_Writing") -> None:
    done = 0

    def count(size: int) -> None:
        nonlocal done
        writing.checkpoint()
        done += size
        writing.progress(Stage.VERIFYING, done, writing.source_bytes)

    verify_zip(path, project_id=writing.content.project.id, on_bytes=count)


class _Writing:
    """One run of writing: the open zip, the manifest so far and what was counted."""

    def __init__(
        self,
        content: ExportContent,
        stream: IO[bytes],
        progress: Progress,
        checkpoint: Callable[[], None],
    ) -> None:
        self.content, self.progress, self.checkpoint = content, progress, checkpoint
        self._zip = ZipWriter(stream, moment=content.made_at, on_bytes=self._count)
        self._root = content.project.id
        self._file_bytes: int | None = None
        self.source_bytes = self.manifest_count = self.dead_links = 0

    def run(self) -> None:
        """Write everything, the manifest last."""
        content, options = self.content, self.content.options
        with (
            DiskTables() as tables,
            self._zip,
            Manifest(
                project_id=content.project.id,
                portal_version=content.portal_version,
                made_at=content.made_at,
            ) as self._manifest,
            tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as self._dead,
        ):
            self._layout = _laid_out(content, tables)
            self._links = _links(content, self._layout)
            self._save_front()
            if options.pages_with_files:
                self._save_pages()
                self._save_files()
            if options.history:
                self._save_history()
            if options.members_and_settings:
                self._save_settings()
            self._save_dead_links()
            self._zip.drain()
            self.manifest_count = self._manifest.count
            listed = self.source_bytes
            self._zip.add_chunks(self._path(layout.MANIFEST), self._manifest.chunks())
            self.source_bytes = listed

    def _save_front(self) -> None:
        content = self.content
        self._add_text(layout.README, front_matter.readme(content))
        index = _blocks(front_matter.index_page(content, self._layout))
        self._zip.add_chunks(self._path(layout.INDEX), index, then=self._manifest.add)
        style = resources.files("portal.projects").joinpath("offline.css").read_bytes()
        self._add_text(self._layout.style, style)
        if self._layout.index:
            self._add_text(self._layout.index, front_matter.pages_index(content, self._layout))

    def _save_pages(self) -> None:
        total, done = self._layout.page_count, 0
        self.progress(Stage.PAGES, done, total)
        for done, page in enumerate(self.content.pages, 1):
            self.checkpoint()
            self._save_page(page)
            self.progress(Stage.PAGES, done, total)
        self._zip.drain()
        _all_came(done, total)

    def _save_page(self, page: ExportedPage) -> None:
        path = self._known(self._layout.pages, page.name)
        rendered = render_page(page.source, page_format=page.format)
        relinked = relink_offline(rendered, page=nfc(page.name), links=self._links)
        up = "../" * (path.count("/") - 1)
        whole = offline_page(
            relinked.html,
            title=page.title or page.name,
            style=up + self._layout.style.removeprefix("pages/"),
        )
        self._add_text(path, whole.encode(errors="replace"), page=page.name)
        self._add_text(
            self._layout.sources[nfc(page.name)],
            page.source.encode(errors="replace"),
            source_of=page.name,
            title=page.title,
            format=page.format,
            updated_at=page.updated_at.isoformat(),
        )
        for link in relinked.dead:
            self.dead_links += 1
            self._dead.write(f"{path}\t{' '.join(link.split())}\n".encode(errors="replace"))

    def _save_files(self) -> None:
        self._file_bytes = 0
        self.progress(Stage.FILES, 0, self._layout.file_bytes)
        before = self._manifest.count
        for file in self.content.files:
            path = self._path(self._known(self._layout.files, file.path))
            self._zip.add_file(path, file.disk, then=partial(self._note_file, file))
        self._zip.drain()
        self._file_bytes = None
        _all_came(self._manifest.count - before, self._layout.file_count)

    def _note_file(self, file: ExportedFile, entry: Entry) -> None:
        if entry.sha256 != file.sha256:
            raise ConflictError(
                f"The file {file.path!r} on disk is not the one that was uploaded; upload it again."
            )
        self._manifest.add(entry, file=file.path)

    def _save_history(self) -> None:
        self.progress(Stage.HISTORY, 0, self.content.version_count)
        path = self._path(layout.HISTORY)
        self._zip.add_chunks(path, _blocks(self._versions()), then=self._manifest.add)

    def _versions(self) -> Iterator[bytes]:
        for done, version in enumerate(self.content.history, 1):
            yield export_json.version_line(version)
            self.progress(Stage.HISTORY, done, self.content.version_count)

    def _save_settings(self) -> None:
        self.progress(Stage.SETTINGS, 0, 1)
        self._add_text(layout.SETTINGS, export_json.settings(self.content.project))
        self._add_text(layout.MEMBERS, export_json.members(self.content.members))
        self.progress(Stage.SETTINGS, 1, 1)

    def _save_dead_links(self) -> None:
        head = "Links that led to nothing when the project was exported: page, then link.\n\n"
        if not self.dead_links:
            head = "Every link within the project leads somewhere.\n"
        self._dead.seek(0)
        chunks = iter(lambda: self._dead.read(_BLOCK), b"")
        path = self._path(layout.DEAD_LINKS)
        self._zip.add_chunks(path, _chain(head, chunks), then=self._manifest.add)

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _known(self, paths: Lookup, name: str) -> str:
        try:
            return paths[nfc(name)]
        except KeyError:
            raise ConflictError(f"{name!r} came while the project was saved; try again.") from None

    def _add_text(self, path: str, text: bytes, **facts: str) -> None:
        self._zip.add_bytes(self._path(path), text, then=partial(self._manifest.add, **facts))

    def _count(self, size: int) -> None:
        self.checkpoint()
        self.source_bytes += size
        if self._file_bytes is not None:
            self._file_bytes += size
            self.progress(Stage.FILES, self._file_bytes, self._layout.file_bytes)


def _all_came(came: int, listed: int) -> None:
    if came != listed:
        raise ConflictError("The project was changed while it was being saved; try again.")


def _laid_out(content: ExportContent, tables: DiskTables) -> Layout:
    if content.options.pages_with_files:
        return laid_out(content.page_names, content.file_names, tables)
    return laid_out((), (), tables)


def _links(content: ExportContent, places: Layout) -> Links:
    return Links(
        project_id=content.project.id,
        portal_url=content.portal_url,
        aliases=content.portal_aliases,
        pages=places.pages,
        sources=places.names,
        files=places.files,
    )


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces, so that each call of the packer is worth it."""
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= _BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _chain(head: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield head.encode()
    yield from chunks
