"""What a reference could mean, told to those who repair rows."""

from collections.abc import Callable

from portal.accounts.permissions import Role
from portal.db import open_sessions
from portal.rows.processors import Acting, Processor
from portal.runtime import Runtime
from portal.tables.actions import Action
from tests.tables.conftest import OFFICES, RECORDS, Execute, People

MADE = "INSERT INTO office (code, name) VALUES ('N1', 'North'), ('S%', 'South')"


def test_a_reference_is_suggested_by_its_word(
    runtime: Runtime,
    execute: Execute,
    processor: Callable[[str], Processor],
    acting: Callable[..., Acting],
) -> None:
    execute(OFFICES, RECORDS, MADE)
    records = processor("record").records
    with open_sessions(runtime.tables)() as session:

        def suggested(field: str, text: str) -> list[str]:
            return [one.value for one in records.suggest(session, field, text, acting=acting())]

        assert suggested("office_id", "") == ["N1", "S%"]
        assert suggested("office_id", "n") == ["N1"]
        assert suggested("office_id", "%") == ["S%"]
        assert suggested("fee", "") == []


def test_words_of_a_table_that_one_may_not_see_are_not_suggested(
    runtime: Runtime,
    execute: Execute,
    processor: Callable[[str], Processor],
    acting: Callable[..., Acting],
    grant: Callable[..., None],
    people: People,
) -> None:
    execute(OFFICES, RECORDS, MADE)
    grant("record", (Role.IMPORT_MANAGER, Action.CREATE))
    grant("office")
    clerk = people.make("clerk", Role.IMPORT_MANAGER)
    records = processor("record").records
    with open_sessions(runtime.tables)() as session:
        assert records.suggest(session, "office_id", "", acting=acting(clerk)) == []
