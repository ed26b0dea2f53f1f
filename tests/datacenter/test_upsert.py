"""Files that change records or make them, in the data centre: the mode goes along in names."""

import pytest

from portal.accounts.permissions import Role
from portal.rows.processors import Mode
from portal.runtime import Runtime
from tests.datacenter.processing import Office, open_office

USERS = "name,display_name,email\nanna,Anna,\nbob,Bob,no address\n"
CHANGES = "name,display_name,email\nanna,Anna K,\ncleo,Cleo,\nbob,Bob,no address\n"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


def test_what_failed_is_pending_in_the_same_mode_and_repaired_there(office: Office) -> None:
    office.put("users.csv", USERS)
    office.process("users.csv", "users")
    office.put("changes.csv", CHANGES)
    batch = office.process("changes.csv", "users", Mode.UPSERT)
    counts = batch.counts
    assert (counts.created, counts.updated, counts.failed) == (1, 1, 1)
    name = "changes.upsert.pending.csv"
    assert name in office.lying()[""]
    office.put(name, office.text(name).replace("no address", "bob@example.org"), replace=True)
    repaired = office.process(name, "users", Mode.UPSERT)
    assert (repaired.counts.created, repaired.counts.failed) == (1, 0)
