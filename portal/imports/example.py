"""A file to look around with, as part of the example content: new rows, changed ones, bad ones."""

from pathlib import Path

from sqlalchemy import select

from portal.imports.files import store_file
from portal.imports.orders import ImportOrder, ask_to_import
from portal.imports.words import KIND, ImportMode
from portal.rows.batch_kinds import Wish
from portal.rows.models import PORTAL_LEDGER
from portal.tables.example import RECORDS

FILE = "example-june.csv"


def load_import(folder: Path, *, wish: Wish) -> str | None:
    """Ask for the file of `folder` to be imported into a table of the example; the job's id.

    None where that was done once already. Raises what storing and asking raise.
    """
    runtime, batch = wish.runtime, PORTAL_LEDGER.batch
    its = (batch.c.kind == KIND, batch.c.file_name == FILE)
    with runtime.reads() as session:
        if session.scalar(select(batch.c.id).where(*its).limit(1)) is not None:
            return None
    with (folder / FILE).open("rb") as stream:
        stored = store_file(runtime, stream=stream, name=FILE, actor=wish.actor)
    order = ImportOrder.of(stored, table=RECORDS.name, mode=ImportMode.UPSERT, partial=True)
    with runtime.sessions.begin() as session:
        return ask_to_import(session, order=order, wish=wish).job.id
