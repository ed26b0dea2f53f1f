"""Mappings that are kept for files with the same header."""

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import portal.migrations
from portal.accounts.permissions import SYSTEM
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.migrations.run import upgrade
from portal.rows.processors import Mode
from portal.rows.profiles import (
    Profile,
    find_profile,
    forget_profile,
    get_profile,
    list_profiles,
    list_versions,
    save_profile,
)
from portal.rows.treatment import Treatment
from portal.runtime import Runtime
from portal.tabular.fields import Empty
from portal.tabular.rules import Case, Rules

HEADER = ("Wer", "Post")
TREATMENT = Treatment(
    rules={"name": Rules(case=Case.UPPER)},
    constants={"active": "true"},
    empty={"email": Empty.CLEAR},
    identity=("name",),
)


def save(runtime: Runtime, *, later: int = 0, **more) -> Profile:
    wanted = {
        "name": "Office",
        "header": HEADER,
        "processor": "users",
        "mode": Mode.CREATE,
        "columns": ["name", "email"],
        "actor": SYSTEM,
        "now": runtime.clock() + timedelta(seconds=later),
    }
    with runtime.sessions.begin() as session:
        return save_profile(session, **(wanted | more))


def found(runtime: Runtime, header=HEADER, mode: Mode = Mode.CREATE) -> Profile | None:
    with runtime.reads() as session:
        return find_profile(session, header=header, processor="users", mode=mode)


def versions(runtime: Runtime, name: str = "Office") -> list[Profile]:
    with runtime.reads() as session:
        return list_versions(session, name=name)


def test_a_mapping_is_found_by_the_header_with_all_that_it_says(runtime: Runtime) -> None:
    saved = save(runtime, treatment=TREATMENT)
    assert saved.treatment == TREATMENT
    assert found(runtime, ("wer ", "POST")) == saved
    assert found(runtime, ("Wer", "Fax")) is None
    assert found(runtime, mode=Mode.UPDATE) is None


def test_every_change_is_a_version_and_the_old_ones_stay(runtime: Runtime) -> None:
    first = save(runtime)
    second = save(runtime, later=1, treatment=TREATMENT)
    third = save(runtime, later=2, columns=["email", "name"], header=("a", "b"))
    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert versions(runtime) == [third, second, first]
    with runtime.reads() as session:
        assert get_profile(session, name="Office") == third
        assert get_profile(session, name="Office", version=2) == second
        assert list_profiles(session) == [third]


def test_a_version_that_never_was_is_not_found(runtime: Runtime) -> None:
    save(runtime)
    with runtime.reads() as session, pytest.raises(NotFoundError, match="has no version 2"):
        get_profile(session, name="Office", version=2)


def test_what_is_saved_as_it_stands_is_no_new_version_but_found_first(runtime: Runtime) -> None:
    save(runtime, treatment=TREATMENT)
    save(runtime, later=1, name="Other")
    again = save(runtime, later=2, treatment=TREATMENT)
    assert again.version == 1
    assert len(versions(runtime)) == 1
    assert found(runtime) == again


def test_a_name_stands_for_one_processor_and_mode(runtime: Runtime) -> None:
    save(runtime)
    with pytest.raises(ConflictError, match="Another mapping is called 'Office'"):
        save(runtime, mode=Mode.UPDATE)


@pytest.mark.parametrize("name", [" ", "x" * 129])
def test_a_mapping_needs_a_name(runtime: Runtime, name: str) -> None:
    with pytest.raises(InvalidError, match="Give the mapping a name"):
        save(runtime, name=name)


def test_a_forgotten_mapping_is_gone_with_its_versions(runtime: Runtime) -> None:
    save(runtime)
    save(runtime, columns=["name", None])
    with runtime.sessions.begin() as session:
        forget_profile(session, name="Office")
    with runtime.reads() as session:
        left = session.scalar(text("SELECT count(*) FROM mapping_profile_version"))
    assert left == 0
    with pytest.raises(NotFoundError):
        versions(runtime)


def test_mappings_of_an_older_schema_have_their_first_version(runtime: Runtime) -> None:
    saved = save(runtime)
    with runtime.engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(portal.migrations.__file__).parent))
        command.downgrade(config, "0009")
    upgrade(runtime.engine)
    assert versions(runtime) == [saved]
    assert save(runtime, columns=["name", None]).version == 2


def test_a_treatment_comes_back_from_json_as_it_was() -> None:
    assert Treatment.from_json(TREATMENT.as_json()) == TREATMENT
    assert Treatment().as_json() == {}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"empty": {"name": "guess"}}, "one of keep, clear, default"),
        ({"empty": []}, "'empty' gives a text for each field"),
        ({"constants": {"name": 1}}, "'constants' gives a text for each field"),
        ({"identity": "name"}, "'identity' is a list of fields"),
        ({"rules": {"name": {"case": "wild"}}}, "name: 'case' is one of"),
        ({"ruels": {}}, "There is no ruels; there are rules, constants, empty, identity"),
    ],
)
def test_what_is_no_treatment_is_refused_in_words(said, words: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Treatment.from_json(said)
    assert words in str(caught.value)
