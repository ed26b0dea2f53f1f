"""The processor of any table, `table:NAME`: known when it is asked for, offered where granted."""

from collections.abc import Iterator
from dataclasses import replace

from portal.accounts.permissions import Actor
from portal.errors import ForbiddenError
from portal.rows.processors import Acting, Mode, Processor, Store
from portal.runtime import Runtime
from portal.tables.actions import MODES
from portal.tables.catalog import catalog_of
from portal.tables.grants import Grants
from portal.tables.layout import lay_out
from portal.tables.merging import MergedRecords
from portal.tables.postgresql_rows import PostgresRows
from portal.tables.records import Guard
from portal.tables.service import SEEN
from portal.tables.shapes import TableShape
from portal.tables.sqlite_rows import SqliteRows

PREFIX = "table:"


class TableProcessors:
    """One processor for each table that has a key."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._grants = Grants(runtime)

    def find(self, name: str) -> Processor | None:
        """The processor called `table:NAME`; None where there is no such table, or it has no key.

        Whether an actor may use it is asked by each of its functions.
        """
        if not name.startswith(PREFIX):
            return None
        shape = catalog_of(self._runtime).find(name.removeprefix(PREFIX))
        return self._processor(shape) if shape is not None and shape.key else None

    def all(self, actor: Actor) -> Iterator[Processor]:
        """Those of the tables that `actor` may import to, with the modes granted to him."""
        granted = self._grants.of(actor)
        for shape in catalog_of(self._runtime).tables().values():
            modes = tuple(mode for mode in Mode if granted.may_all(shape.name, MODES[mode]))
            if modes and shape.key:
                yield replace(self._processor(shape), modes=modes)

    def _processor(self, shape: TableShape) -> Processor:
        dialect = self._runtime.tables.dialect.name
        layout = lay_out(
            shape,
            catalog_of(self._runtime).tables(),
            dialect=dialect,
            zone=self._runtime.settings.zone,
        )
        rows = PostgresRows(shape) if dialect == "postgresql" else SqliteRows(shape)
        return Processor(
            name=f"{PREFIX}{shape.name}",
            title=f"Table {shape.name}",
            help=shape.comment or f"Rows of the table {shape.name} in the tables database.",
            fields=layout.fields,
            identities=layout.identities,
            modes=tuple(Mode),
            records=MergedRecords(
                layout,
                rows,
                dialect=dialect,
                guard=self._guard(shape.name),
                may_see=self._may_see,
            ),
            store=Store.TABLES,
            unique=True,
        )

    def _may_see(self, acting: Acting, table: str) -> bool:
        return self._grants.of(acting.actor).may_any(table, SEEN)

    def _guard(self, table: str) -> Guard:
        def check(acting: Acting, mode: Mode | None) -> None:
            granted = self._grants.of(acting.actor)
            if mode is None:
                allowed = any(granted.may_all(table, wanted) for wanted in MODES.values())
            else:
                allowed = granted.may_all(table, MODES[mode])
            if not allowed:
                what = f"{mode} rows of" if mode else "import to"
                raise ForbiddenError(
                    f"You may not {what} the table {table!r}. An administrator can grant it."
                )

        return check
