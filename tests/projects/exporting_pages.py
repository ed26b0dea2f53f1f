"""A process of its own that writes and verifies an export of many small pages from thin air.

`python -m tests.projects.exporting_pages COUNT FOLDER` prints the most memory it held, in bytes.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from portal.projects.archive import write_zip
from portal.projects.export_content import (
    ExportContent,
    ExportedPage,
    ExportedProject,
    ExportOptions,
    PageName,
)
from tests.memory import peak_memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def name(number: int) -> str:
    return f"folder-{number % 100:02}/page-{number:06}"


def page_names(count: int) -> Iterator[PageName]:
    for number in range(count):
        yield PageName(
            name=name(number), file_name=f"{name(number)}.html", title=f"Page {number} of many"
        )


def pages(count: int) -> Iterator[ExportedPage]:
    for number in range(count):
        source = f'<p>A page with <a href="page-{(number + 100) % count:06}.html">a link</a></p>'
        yield ExportedPage(
            name=name(number),
            title=f"Page {number} of many",
            format="html",
            source=source,
            updated_at=NOW,
        )


def content(count: int) -> ExportContent:
    project = ExportedProject(
        id="many", title="Many", policy="medium", home=name(1),
        created_at=NOW, created_by="m1", updated_at=NOW,
    )  # fmt: skip
    return ExportContent(
        project=project,
        page_names=page_names(count),
        file_names=iter(()),
        pages=pages(count),
        files=iter(()),
        history=iter(()),
        version_count=0,
        members=iter(()),
        options=ExportOptions(),
        portal_url="https://portal.example",
        portal_version="1.0",
        made_at=NOW,
        made_by="m1",
    )


def main(count: int, folder: Path) -> None:
    write_zip(folder / "many.zip", content(count))
    sys.stdout.write(str(peak_memory()))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
