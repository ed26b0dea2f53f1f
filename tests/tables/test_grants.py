"""What is granted for tables: nothing but what was decided, and the default file's own tables."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.audit.models import AuditEntry
from portal.errors import ForbiddenError, InvalidError
from portal.rows.processors import Acting, Mode, Processor
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.actions import Action
from portal.tables.grants import place_of, rights_of, set_grants
from portal.tables.processors import TableProcessors

Grant = Callable[..., None]
IMPORTER = Actor(user_id=None, name="i", roles=frozenset({Role.IMPORT_MANAGER}))
EXPORTER = Actor(user_id=None, name="e", roles=frozenset({Role.EXPORT_MANAGER}))
BOTH = Actor(user_id=None, name="b", roles=IMPORTER.roles | EXPORTER.roles)
MEMBER = Actor(user_id=None, name="m", roles=frozenset({Role.MEMBER}))


@pytest.fixture
def actions(runtime: Runtime) -> Callable[[Actor, str], list[Action]]:
    """`actions(actor, table)`: what the actor may do with it."""

    def find(actor: Actor, table: str = "record") -> list[Action]:
        with runtime.reads() as session:
            rights = rights_of(session, settings=runtime.settings, actor=actor)
        return [action for action in Action if rights.may(table, action)]

    return find


Actions = Callable[..., list[Action]]


def test_where_nobody_decided_the_default_file_is_open_and_other_databases_are_not(
    actions: Actions, runtime: Runtime
) -> None:
    default = not runtime.settings.tables_url
    assert actions(IMPORTER) == (list(Action)[:4] if default else [])
    assert actions(EXPORTER) == [Action.EXPORT]
    assert actions(MEMBER) == []
    assert actions(SYSTEM) == list(Action)


def test_what_was_decided_holds_alone(actions: Actions, grant: Grant) -> None:
    grant("record", (Role.IMPORT_MANAGER, Action.UPDATE))
    assert actions(IMPORTER) == [Action.UPDATE]
    assert actions(EXPORTER) == []
    grant("record")
    assert actions(IMPORTER) == []
    assert actions(SYSTEM) == list(Action)


def test_roles_add_up(actions: Actions, grant: Grant) -> None:
    grant("record", (Role.IMPORT_MANAGER, Action.BROWSE), (Role.EXPORT_MANAGER, Action.EXPORT))
    assert actions(BOTH) == [Action.BROWSE, Action.EXPORT]


def test_a_disabled_person_may_nothing(actions: Actions) -> None:
    gone = Actor(user_id=None, name="x", roles=frozenset({Role.ADMIN}), enabled=False)
    assert actions(gone) == []


def test_a_role_is_not_granted_what_it_cannot_use(grant: Grant) -> None:
    with pytest.raises(InvalidError, match="no use"):
        grant("record", (Role.EXPORT_MANAGER, Action.CREATE))
    with pytest.raises(InvalidError, match="no use"):
        grant("record", (Role.OPERATOR, Action.BROWSE))


def test_only_an_administrator_grants(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session, pytest.raises(ForbiddenError):
        set_grants(
            session,
            settings=runtime.settings,
            actor=IMPORTER,
            table="record",
            grants=frozenset(),
            now=runtime.clock(),
        )


def test_who_granted_what_is_recorded(runtime: Runtime, grant: Grant) -> None:
    grant("record", (Role.IMPORT_MANAGER, Action.BROWSE))
    with runtime.reads() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.object_kind, entry.object_id) == ("table.grant", "table", "record")
    assert entry.detail == {"grants": ["import_manager: browse"]}


def test_a_grant_is_for_one_database_alone(
    runtime: Runtime, grant: Grant, make_settings: Callable[..., Settings]
) -> None:
    grant("record", (Role.IMPORT_MANAGER, Action.BROWSE))
    elsewhere = make_settings(tables_url="postgresql://somebody@elsewhere/tables")
    with runtime.reads() as session:
        rights = rights_of(session, settings=elsewhere, actor=IMPORTER)
    assert not rights.may("record", Action.BROWSE)


def test_the_place_of_a_database_does_not_depend_on_who_connects() -> None:
    first = Settings(tables_url="postgresql://a:secret@host:5432/tables")
    again = Settings(tables_url="postgresql://b@host:5432/tables?connect_timeout=3")
    other = Settings(tables_url="postgresql://a@host:5432/others")
    assert place_of(first) == place_of(again) != place_of(other)
    assert "secret" not in place_of(first)
    assert place_of(Settings()) == "default"


def test_processors_are_offered_with_the_modes_that_are_granted(
    filled: None, runtime: Runtime, grant: Grant
) -> None:
    grant("record", (Role.IMPORT_MANAGER, Action.UPDATE), (Role.IMPORT_MANAGER, Action.REMOVE))
    grant("office", (Role.IMPORT_MANAGER, Action.BROWSE))
    offered = list(TableProcessors(runtime).all(IMPORTER))
    assert [(one.name, one.modes) for one in offered] == [
        ("table:record", (Mode.UPDATE, Mode.REMOVE))
    ]
    assert list(TableProcessors(runtime).all(MEMBER)) == []


def test_tables_without_a_key_have_no_processor(
    execute: Callable[..., None], runtime: Runtime
) -> None:
    execute("CREATE TABLE loose (a integer)")
    assert TableProcessors(runtime).find("table:loose") is None
    assert TableProcessors(runtime).find("table:none") is None
    assert TableProcessors(runtime).find("users") is None
    assert list(TableProcessors(runtime).all(SYSTEM)) == []


def test_the_functions_of_a_processor_ask_again(
    filled: None,
    runtime: Runtime,
    processor: Callable[[str], Processor],
    acting: Callable[..., Acting],
    grant: Grant,
) -> None:
    grant("record", (Role.IMPORT_MANAGER, Action.UPDATE))
    records = processor("record").records
    with runtime.reads() as session:
        with pytest.raises(ForbiddenError, match="may not create"):
            records.create(session, {"number": "x"}, acting=acting(IMPORTER))
        with pytest.raises(ForbiddenError, match="may not import"):
            records.find(session, {"number": "x"}, acting=acting(MEMBER))
