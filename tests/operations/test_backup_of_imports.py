"""An import that waits when the backup is written is done in the portal that was restored."""

from collections.abc import Callable
from pathlib import Path

from portal.backup import restore_backup, write_backup
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.example import OFFICES, load_tables
from tests.imports.scenes import Desk, succeeded

Opened = Callable[[Settings], Runtime]
NEW = "code,name,city\nE,Eastern office,Görlitz\n"


def test_a_waiting_file_comes_along(
    runtime: Runtime, tmp_path: Path, empty_place: Settings, opened: Opened
) -> None:
    desk = Desk(runtime=runtime)
    load_tables(runtime, desk.actor)
    asked = desk.ask("offices.csv", NEW, table=OFFICES.name)
    write_backup(runtime.settings, tmp_path / "portal.tar")
    restore_backup(empty_place, tmp_path / "portal.tar")
    there = Desk(runtime=opened(empty_place))
    assert succeeded(there.perform(asked)) == "Successfully imported 1 row(s)"
    assert there.rows("SELECT city FROM example_office WHERE code = 'E'") == [("Görlitz",)]
