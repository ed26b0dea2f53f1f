"""Few spreadsheets are read at once by a process that answers people; text always is."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from portal.accounts.permissions import Role
from portal.datacenter.looking import look
from portal.rows.looking import Wish
from portal.runtime import Runtime
from portal.tabular.table import TableError
from portal.tabular.turns import BUSY, MOST, turn
from tests.datacenter.processing import Office, open_office

SHEET = Path(__file__).parents[1] / "tabular" / "workbooks" / "staff.xlsx"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


@pytest.fixture
def full() -> ExitStack:
    """All turns, taken by others until it is closed."""
    stack = ExitStack()
    for _ in range(MOST):
        stack.enter_context(turn("xlsx"))
    return stack


def test_one_spreadsheet_too_many_is_not_looked_at(office: Office, full: ExitStack) -> None:
    with full:
        with pytest.raises(TableError, match=BUSY):
            office.put("staff.xlsx", SHEET.read_bytes())
        assert office.lying()[""] == []
        office.put("users.csv", "name\nanna\n")
        file = office.center.get_file("users.csv")
        assert look(file, wish=Wish(), processors=()).preview.header == ("name",)
    office.put("staff.xlsx", SHEET.read_bytes())
    file = office.center.get_file("staff.xlsx")
    assert look(file, wish=Wish(), processors=()).sheets
    with turn("xlsx"), turn("xlsx"), pytest.raises(TableError, match=BUSY):
        look(file, wish=Wish(), processors=())
