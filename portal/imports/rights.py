"""Who may import into which table: the right to imports, and what is granted for the table."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.errors import ConflictError, ForbiddenError
from portal.imports.words import ImportMode
from portal.settings import Settings
from portal.tables.actions import MODES, UNDOING, Action
from portal.tables.grants import may_do_one, place_of
from portal.tables.service import SEEN

_ACTS = {Action.CREATE: "insert", Action.UPDATE: "update", Action.REMOVE: "delete"}
MOVED = "PORTAL_TABLES_URL names another database now; ask for the import anew."


def may_see(session: Session, actor: Actor, *, place: str, table: str) -> bool:
    """Say whether `actor` may see imports into a table of the database at `place`."""
    runs = actor.may(Permission.IMPORTS_RUN)
    return runs and may_do_one(session, actor, place=place, tables=[table], actions=SEEN)


def may_import(session: Session, actor: Actor, *, place: str, table: str, mode: ImportMode) -> bool:
    """Say whether `actor` may do what the mode does with rows of the table."""
    return _may_all(session, actor, place=place, table=table, actions=MODES[mode.rows_mode])


def may_undo(session: Session, actor: Actor, *, place: str, table: str, mode: ImportMode) -> bool:
    """Say whether `actor` may do what undoing an import in that mode does with rows of the table.

    To undo an insert is to delete, to undo a deletion is to insert.
    """
    return _may_all(session, actor, place=place, table=table, actions=UNDOING[mode.rows_mode])


def may_run_undo(session: Session, actor: Actor, args: Mapping[str, Any]) -> bool:
    """Say whether the undoing that a job with these arguments is may run for `actor`."""
    place, table, mode = str(args["place"]), str(args["table"]), ImportMode(args["mode"])
    return may_undo(session, actor, place=place, table=table, mode=mode)


def check_may_undo(
    session: Session, actor: Actor, *, place: str, table: str, mode: ImportMode
) -> None:
    """Raise ForbiddenError where `actor` may not undo an import in that mode."""
    if not may_undo(session, actor, place=place, table=table, mode=mode):
        raise ForbiddenError(no_undo_text(table, mode))


def no_undo_text(table: str, mode: ImportMode) -> str:
    """Why somebody may not undo an import, and who can change that."""
    acts = " and ".join(_ACTS[action] for action in UNDOING[mode.rows_mode])
    return (
        f"To undo this import is to {acts} rows of the table {table!r}, and you may not do that. "
        "An administrator can grant it."
    )


def may_try(session: Session, actor: Actor, args: Mapping[str, Any]) -> bool:
    """Say whether a job with these arguments may run for `actor`.

    Of a table that he may not even see the job says that it does not exist, as of any other.
    """
    place, table = str(args.get("place", "")), str(args.get("table", ""))
    mode = ImportMode(args.get("mode", ImportMode.INSERT))
    if may_import(session, actor, place=place, table=table, mode=mode):
        return True
    return actor.may(Permission.IMPORTS_RUN) and not may_see(
        session, actor, place=place, table=table
    )


def check_may_try(session: Session, actor: Actor, *, place: str, table: str, mode: str) -> None:
    """Raise ForbiddenError where `actor` may not ask for such an import."""
    if not actor.may(Permission.IMPORTS_RUN):
        raise ForbiddenError("You may not import files into tables.")
    if not may_try(session, actor, {"place": place, "table": table, "mode": mode}):
        raise ForbiddenError(
            f"You may not {mode} rows of the table {table!r}. An administrator can grant it."
        )


def _may_all(
    session: Session, actor: Actor, *, place: str, table: str, actions: Iterable[Action]
) -> bool:
    return actor.may(Permission.IMPORTS_RUN) and all(
        may_do_one(session, actor, place=place, tables=[table], actions=[action])
        for action in actions
    )


def check_place(settings: Settings, place: str) -> None:
    """Raise ConflictError where the tables database is another than when the job was asked for."""
    if place != place_of(settings):
        raise ConflictError(MOVED)
