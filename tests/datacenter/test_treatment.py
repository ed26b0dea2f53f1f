"""Rules of columns hold wherever a file goes: dry run, processing, repair, watch rules."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.permissions import Role
from portal.audit.models import AuditEntry
from portal.datacenter.mapping import Wording, order_of
from portal.datacenter.orders import ProcessOrder
from portal.datacenter.picking import pick_file
from portal.datacenter.remembered import known_mappings
from portal.datacenter.steps import Folder
from portal.errors import InvalidError
from portal.rows.batch import Batch
from portal.rows.processors import Mode
from portal.rows.profiles import list_profiles, save_profile
from portal.rows.treatment import Treatment
from portal.runtime import Runtime
from portal.tabular.rules import Case, Others, Rules
from tests.datacenter.processing import Office, open_office, repair
from tests.datacenter.watching import drop, look, make_rule, work

PEOPLE = "Login,Whole\nANNA,Anna K\nBob,secret\n"
TREATMENT = Treatment(
    rules={
        "name": Rules(case=Case.LOWER),
        "display_name": Rules(values={"Anna K": "Anna Karenina"}, others=Others.REFUSE),
    },
    constants={"email": "all@example.org"},
)


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def save(office: Office) -> None:
    with office.runtime.sessions.begin() as session:
        save_profile(
            session,
            name="Wide",
            header=["Login", "Whole"],
            processor="users",
            mode=Mode.CREATE,
            columns=["name", "display_name"],
            treatment=TREATMENT,
            actor=office.actor,
            now=office.runtime.clock(),
        )


def order(
    office: Office, *, file: str = "users.csv", dry_run: bool = False, **fields: str
) -> ProcessOrder:
    """The order for the file with its saved mapping, or with the fields that are given."""
    processor = office.asking().processors.get("users")
    wording = Wording(processor=processor, mode=Mode.CREATE, fields=fields, dry_run=dry_run)
    picked = pick_file(office.center, file, folders=[Folder.ROOT])
    return order_of(picked, wording, known=known_mappings(office.runtime, picked.file))


def people(office: Office) -> dict[str, tuple[str, str]]:
    with office.runtime.reads() as session:
        found = session.scalars(select(User).where(User.name != office.actor.name))
        return {user.name: (user.display_name, user.email) for user in found}


def whole(batch: Batch) -> tuple[int, int]:
    return batch.counts.created, batch.counts.failed


def test_a_saved_mapping_brings_its_rules_into_the_dry_run_and_the_batch(office: Office) -> None:
    save(office)
    office.put("users.csv", PEOPLE)
    assert order(office).treatment == TREATMENT
    assert whole(office.finish(office.ask(order(office, dry_run=True)))) == (1, 1)
    assert people(office) == {}
    assert whole(office.finish(office.ask(order(office)))) == (1, 1)
    assert people(office) == {"anna": ("Anna Karenina", "all@example.org")}
    with office.runtime.reads() as session:
        assert [profile.used_at is None for profile in list_profiles(session)] == [False]


def test_a_repaired_row_is_done_by_the_same_rules(office: Office) -> None:
    save(office)
    office.put("users.csv", PEOPLE)
    batch = office.finish(office.ask(order(office)))
    again = repair(office, batch.id, row=2, cells={1: "Anna K"})
    assert again.counts.failed == 0
    assert people(office)["bob"] == ("Anna Karenina", "all@example.org")


def test_a_watch_rule_does_what_its_saved_mapping_says_of_cells(office: Office) -> None:
    save(office)
    make_rule(office, profile="Wide")
    drop(office, "users-monday.csv", PEOPLE)
    assert look(office) == 1
    work(office)
    assert people(office) == {"anna": ("Anna Karenina", "all@example.org")}


def test_rules_that_make_no_sense_are_refused_before_there_is_a_job(office: Office) -> None:
    office.put("users.csv", PEOPLE)
    sound = order(office, Login="name", Whole="display_name")
    for treatment, said in (
        (Treatment(rules={"name": Rules(date="DD.MM.YYYY")}), "'name' is no date"),
        (Treatment(constants={"email": "nobody"}), "The value for all rows of 'email'"),
        (Treatment(constants={"nothing": "x"}), "has no field 'nothing'"),
        (Treatment(identity=("email",)), "does not name one row"),
    ):
        with pytest.raises(InvalidError, match=said):
            office.ask(replace(sound, treatment=treatment))


def test_what_was_typed_of_cells_is_not_in_the_audit_log(office: Office) -> None:
    save(office)
    office.put("users.csv", PEOPLE)
    office.ask(order(office))
    with office.runtime.reads() as session:
        query = select(AuditEntry.detail).where(AuditEntry.action == "datacenter.process")
        told = json.dumps(session.scalars(query).one())
    assert "Karenina" not in told
    assert '"treatment": ["display_name", "email", "name"]' in told


def test_an_order_from_before_there_were_rules_still_runs(office: Office) -> None:
    office.put("users.csv", PEOPLE)
    args = order(office).as_args()
    del args["treatment"]
    assert ProcessOrder.from_args(args) == order(office)


def test_rows_that_failed_are_done_as_in_their_batch_when_their_file_is_processed(
    office: Office,
) -> None:
    office.put("users.csv", PEOPLE)
    first = replace(order(office, Login="name", Whole="display_name"), treatment=TREATMENT)
    office.finish(office.ask(first))
    pending = office.text("users.create.pending.csv").replace("secret", "Anna K")
    office.put("users.create.pending.csv", pending, replace=True)
    again = order(office, file="users.create.pending.csv")
    assert (again.columns, again.treatment) == (("name", "display_name", None), TREATMENT)
    assert office.finish(office.ask(again)).counts.failed == 0
    assert people(office)["bob"] == ("Anna Karenina", "all@example.org")


def test_a_pending_file_with_other_columns_is_mapped_anew(office: Office) -> None:
    office.put("users.csv", PEOPLE)
    first = replace(order(office, Login="name", Whole="display_name"), treatment=TREATMENT)
    office.finish(office.ask(first))
    office.put("users.create.pending.csv", "name,Whole\nbob,Bob\n", replace=True)
    assert order(office, file="users.create.pending.csv").treatment == Treatment()
