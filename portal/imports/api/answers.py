"""What programs say when they import a file, and what they are told."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Json

from portal.imports.looking import Import
from portal.imports.wording import treatment_of
from portal.imports.words import ImportMode
from portal.jobs.api.answers import Job, job_of

Texts = Json[dict[str, str]]


class ImportWanted(BaseModel):
    """What is to be done with the file that is sent along.

    `map` gives the table's column, or "" for none, by header of the file; `set` a value for all
    rows and `empty` what an empty cell means (null, default, keep), both by column. `key` are the
    columns by which rows are found. What is left open is found in the file.
    """

    model_config = ConfigDict(extra="forbid")

    table: Annotated[str, Field(min_length=1, max_length=255)]
    mode: ImportMode = ImportMode.INSERT
    partial: bool = False
    dry_run: bool = False
    map: Texts | None = None
    key: Json[list[str]] | None = None
    set: Texts | None = None
    empty: Texts | None = None
    profile: Annotated[str, Field(max_length=128)] = ""
    encoding: Annotated[str, Field(max_length=40)] = ""
    delimiter: Annotated[str, Field(max_length=40)] = ""
    sheet: Annotated[str, Field(max_length=255)] = ""

    def as_order(self) -> dict[str, Any]:
        """The parts of an order that it says; raises InvalidError."""
        reading = {"encoding": self.encoding, "delimiter": self.delimiter, "sheet": self.sheet}
        return {
            "table": self.table,
            "mode": self.mode,
            "partial": self.partial,
            "dry_run": self.dry_run,
            "profile": self.profile,
            "reading": {name: text for name, text in reading.items() if text},
            "fields": self.map or {},
            "treatment": treatment_of(
                empty=self.empty or {}, constants=self.set or {}, key=self.key or []
            ),
        }


class Counts(BaseModel):
    """How many rows came to what; `total` and `unprocessed` are null until they were counted."""

    created: int
    updated: int
    unchanged: int
    removed: int
    skipped: int
    failed: int
    blank: int
    total: int | None
    unprocessed: int | None


class BadRow(BaseModel):
    """A row that failed: its number in the file, and the reasons by column ("" for the row)."""

    row: int
    errors: dict[str, list[str]]


class ImportJob(Job):
    """The job of an import. `url` is where to ask for it again, `page` where people see it.

    `text` is what it came to, word for word; `failing` are the first of the bad rows.
    """

    url: str
    page: str
    table: str
    mode: str
    text: str
    warning: str
    batch: str | None
    counts: Counts | None
    failing: list[BadRow]


def import_of(seen: Import, *, warning: str = "") -> ImportJob:
    """All that is told of an import."""
    batch = seen.batch
    return ImportJob(
        **job_of(seen.job).model_dump(),
        url=f"/api/imports/{seen.job.id}",
        page=f"/imports/{seen.job.id}",
        table=seen.table,
        mode=seen.mode,
        text=seen.text,
        warning=warning or seen.warning,
        batch=None if batch is None else batch.id,
        counts=None if batch is None else Counts(**batch.counts.as_json()),
        failing=[
            BadRow(
                row=entry.first_row,
                errors={name: list(told) for name, told in entry.errors.items()},
            )
            for entry in seen.failing
        ],
    )
