"""`portal datacenter` for what the pages do besides processing: pause, go on, delete, storage."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select, update

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.datacenter.service import open_data_center
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.rows.batch import BatchOrder, BatchState
from portal.rows.models import PORTAL_LEDGER
from portal.rows.processors import Mode
from portal.rows.service import create_batch
from portal.tabular.formats import Format
from tests.datacenter.conftest import Make
from tests.datacenter.shell import Shell, answer, ask, refusal, run
from tests.working import working

MANAGER = Actor(user_id=None, name="dora", roles=frozenset({Role.DATA_MANAGER}))
TABLE = PORTAL_LEDGER.batch


def storage(shell: Shell) -> Path:
    return open_data_center(shell.runtime).storage


def begun(shell: Shell, name: str, *, state: BatchState = BatchState.WAITING) -> str:
    """A batch of a file, of which no row was done yet."""
    path = storage(shell) / name
    order = BatchOrder(
        kind="datacenter",
        processor="users",
        mode=Mode.CREATE,
        file=path,
        file_name=name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size=path.stat().st_size,
        format=Format(kind="csv"),
        columns=("name", "display_name", "email"),
        owner=name,
    )
    with shell.runtime.sessions.begin() as session:
        batch = create_batch(session, order=order, actor=SYSTEM, now=shell.runtime.clock())
        its = update(TABLE).where(TABLE.c.id == batch.id)
        session.execute(its.values(state=str(state)))
    return batch.id


def test_a_batch_is_asked_to_pause(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    batch_id = begun(shell, "users.csv")
    assert answer(shell, "pause", batch_id) == {"batch": batch_id, "pausing": True}
    with shell.runtime.reads() as session:
        asked = session.scalar(select(TABLE.c.pause_asked).where(TABLE.c.id == batch_id))
    assert asked is True


def test_a_done_batch_is_not_paused(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    batch_id = begun(shell, "users.csv", state=BatchState.DONE)
    assert isinstance(refusal(shell, "pause", batch_id), ConflictError)


def test_a_paused_batch_goes_on(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    batch_id = begun(shell, "users.csv", state=BatchState.PAUSED)
    with working(shell):
        facts = answer(shell, "go-on", batch_id, "--wait")
    assert (facts["state"], facts["created"], facts["unprocessed"]) == ("succeeded", 2, 0)


def test_the_rest_of_a_batch_is_put_aside(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    batch_id = begun(shell, "users.csv", state=BatchState.CANCELLED)
    with working(shell):
        facts = answer(shell, "put-aside", batch_id[:8], "--wait")
    assert (facts["state"], facts["created"]) == ("succeeded", 0)
    assert (storage(shell) / "unfinished" / "users.csv").is_file()
    assert len(list(storage(shell).glob("*.pending.csv"))) == 1


def test_who_may_not_process_neither_pauses_nor_goes_on(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    batch_id = begun(shell, "users.csv", state=BatchState.PAUSED)
    shell.actor = MANAGER
    for word in ("pause", "go-on", "put-aside"):
        assert isinstance(refusal(shell, word, batch_id), ForbiddenError)


def test_files_are_deleted_by_name(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    answer(shell, "put", make_file("more.csv"))
    shell.actor = MANAGER
    assert answer(shell, "delete", "users.csv", "more.csv") == {
        "deleted": ["users.csv", "more.csv"]
    }
    assert answer(shell, "list") == []


def test_nothing_is_deleted_where_a_name_is_wrong(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    assert isinstance(refusal(shell, "delete", "users.csv", "none.csv"), NotFoundError)
    assert [file["name"] for file in answer(shell, "list")] == ["users.csv"]


def test_the_storage_is_shown_and_changed(shell: Shell, make_file: Make, tmp_path: Path) -> None:
    answer(shell, "put", make_file())
    before = storage(shell)
    assert answer(shell, "storage") == {"storage": str(before), "left": []}
    new = tmp_path / "disk"
    new.mkdir()
    assert answer(shell, "storage", new, "--move") == {"storage": str(new), "left": []}
    assert (new / "users.csv").is_file()
    assert not (before / "users.csv").exists()


def test_files_that_could_not_be_moved_end_the_command_with_1(
    shell: Shell, make_file: Make, tmp_path: Path
) -> None:
    answer(shell, "put", make_file())
    new = tmp_path / "disk"
    new.mkdir()
    (new / "users.csv").write_text("other\n")
    result = ask(shell, "storage", new, "--move")
    assert (result.exit_code, '"left": ["users.csv"]' in result.stdout) == (1, True)


def test_a_folder_that_cannot_be_the_storage_is_refused(shell: Shell, tmp_path: Path) -> None:
    assert isinstance(refusal(shell, "storage", tmp_path / "none"), InvalidError)


@pytest.mark.parametrize("words", [("storage",), ("storage", "/srv")], ids=["show", "change"])
def test_the_storage_is_for_administrators(shell: Shell, words: tuple[str, ...]) -> None:
    shell.actor = MANAGER
    assert isinstance(refusal(shell, *words), ForbiddenError)


def test_people_read_lines(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    assert run(shell, "storage").stdout == f"{storage(shell)}\n"
    assert run(shell, "delete", "users.csv").stdout == "Deleted: users.csv\n"


def test_a_cell_does_not_command_the_terminal(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("p.csv", "id,title\nred,\x1b[31mRed\u202e\n"))
    shown = run(shell, "preview", "p.csv").stdout
    assert "\\u001b[31mRed\\u202e" in shown
    assert "\x1b" not in shown


def test_a_backup_is_shown_to_those_who_may_see_its_records(shell: Shell) -> None:
    folder = open_data_center(shell.runtime).deleted_path
    (folder / "old.csv").write_text("name\nanna\n")
    assert "anna" in run(shell, "preview", "deleted/old.csv").stdout
    shell.actor = Actor(user_id=None, name="ina", roles=frozenset({Role.IMPORT_MANAGER}))
    assert isinstance(refusal(shell, "preview", "deleted/old.csv"), ForbiddenError)
