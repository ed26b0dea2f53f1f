"""`portal datacenter` from the shell."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.accounts.service import find_user
from portal.datacenter.service import open_data_center
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.jobs.models import Job
from portal.jobs.service import cancel
from portal.projects.models import Project
from portal.rows.processors import Mode
from portal.rows.profiles import save_profile
from tests.datacenter.conftest import USERS, Make
from tests.datacenter.shell import Shell, answer, ask, process, refusal, run
from tests.waiting import wait_until
from tests.working import queued, working

PROJECTS = "id,title\nred,The red one\nblue,Blue\n"


def users(shell: Shell, *names: str) -> list[bool]:
    with shell.runtime.reads() as session:
        return [find_user(session, name) is not None for name in names]


def storage(shell: Shell) -> Path:
    return open_data_center(shell.runtime).storage


def test_put_takes_a_file_in_and_says_how_many_rows_it_has(shell: Shell, make_file: Make) -> None:
    facts = answer(shell, "put", make_file())
    assert (facts["name"], facts["state"], facts["rows"]) == ("users.csv", "waiting", 3)
    assert facts["size"] == len(USERS)
    assert (storage(shell) / "users.csv").read_text() == USERS


def test_put_may_give_the_file_another_name(shell: Shell, make_file: Make) -> None:
    assert answer(shell, "put", make_file(), "--name", "März 2026.csv")["name"] == "März 2026.csv"


def test_a_refused_file_is_refused_with_the_reason(shell: Shell, make_file: Make) -> None:
    run(shell, "put", make_file())
    assert str(refusal(shell, "put", make_file())) == "File with same name was uploaded earlier"
    assert "CSV" in str(refusal(shell, "put", make_file("letter.doc")))
    broken = make_file("broken.csv", 'a,b\n1,2\n"3,4\n')
    assert "Line 3" in str(refusal(shell, "put", broken))
    assert sorted(path.name for path in storage(shell).iterdir() if path.is_file()) == ["users.csv"]


def test_a_file_that_is_not_there_is_wrong_usage(shell: Shell, tmp_path: Path) -> None:
    assert run(shell, "put", tmp_path / "absent.csv").exit_code == 2


def test_a_pending_file_is_replaced_only_if_that_is_asked_for(
    shell: Shell, make_file: Make
) -> None:
    answer(shell, "put", make_file())
    process(shell, "users.csv", "users")
    better = USERS.splitlines()[0] + "\nbob,Bob,bob@example.org\n"
    pending = make_file("users.create.pending.csv", better)
    assert "--replace" in str(refusal(shell, "put", pending))
    facts = answer(shell, "put", pending, "--replace")
    assert (facts["state"], facts["repairs"]) == ("pending", "users.csv")


def test_list_shows_the_files_that_wait(shell: Shell, make_file: Make) -> None:
    assert answer(shell, "list") == []
    assert run(shell, "list").stdout == "There are no such files.\n"
    answer(shell, "put", make_file())
    (facts,) = answer(shell, "list")
    assert (facts["name"], facts["state"], facts["rows"]) == ("users.csv", "waiting", 3)
    assert facts["user"] == "system"
    assert "users.csv\twaiting\t80 bytes\t3 rows\t" in run(shell, "list").stdout


def test_list_shows_the_files_of_a_folder(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    process(shell, "users.csv", "users")
    (pending,) = answer(shell, "list")
    assert (pending["name"], pending["state"]) == ("users.create.pending.csv", "pending")
    (original,) = answer(shell, "list", "--folder", "unfinished")
    assert (original["path"], original["state"]) == ("unfinished/users.csv", "unfinished")
    assert answer(shell, "list", "--folder", "finished", "--text", "nothing") == []


def test_preview_shows_how_a_file_is_read(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("l.csv", "Name;Größe\nJürgen;1,80\n".encode("cp1252")))
    facts = answer(shell, "preview", "l.csv")
    assert (facts["encoding"], facts["delimiter"]) == ("cp1252", ";")
    assert facts["header"] == ["Name", "Größe"]
    assert facts["first_rows"] == [["Jürgen", "1,80"]]
    assert "semicolon" in run(shell, "preview", "l.csv").stdout


def test_preview_reads_as_it_is_told_to(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("l.csv", "a;b,c\n1;2,3\n2;3,4\n"))
    named = answer(shell, "preview", "l.csv", "--delimiter", "semicolon")
    sign = answer(shell, "preview", "l.csv", "--delimiter", ",", "--encoding", "cp1252")
    assert (named["header"], sign["header"]) == (["a", "b,c"], ["a;b", "c"])
    assert sign["encoding"] == "cp1252"
    assert "no encoding" in str(refusal(shell, "preview", "l.csv", "--encoding", "klingon"))


def test_preview_proposes_fields_for_the_columns(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("l.csv", "Login,Mail,Shoe size\nanna,a@example.org,39\n"))
    facts = answer(shell, "preview", "l.csv", "--processor", "users")
    assert [column["field"] for column in facts["columns"]] == ["name", "email", None]


def test_process_does_the_good_rows_and_says_where_the_others_wait(
    shell: Shell, make_file: Make
) -> None:
    answer(shell, "put", make_file())
    facts = process(shell, "users.csv", "users")
    assert (facts["name"], facts["state"], facts["rows"]) == ("users.csv", "succeeded", 4)
    counts = {name: facts[name] for name in ("created", "updated", "unchanged", "removed")}
    assert counts == {"created": 2, "updated": 0, "unchanged": 0, "removed": 0}
    assert (facts["skipped"], facts["failed"], facts["blank"]) == (0, 1, 1)
    assert facts["unprocessed"] == 0
    assert (facts["original"], facts["pending"]) == (
        "unfinished/users.csv",
        "users.create.pending.csv",
    )
    (fault,) = facts["errors"]
    assert (fault["row"], fault["line"], list(fault["errors"])) == (2, 3, ["email"])
    assert users(shell, "anna", "bob", "cleo") == [True, False, True]


def test_rows_that_fail_are_told_and_end_the_command_well(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    with working(shell):
        result = run(
            shell, "process", "users.csv", "--processor", "users", "--mode", "create", "--wait"
        )
    assert result.exit_code == 0
    waits = storage(shell) / "users.create.pending.csv"
    assert f"1 row failed. It waits in {waits}" in result.stdout
    assert "row 2: email: " in result.stdout


def test_without_waiting_the_job_is_told(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    words = ("process", "users.csv", "--processor", "users", "--mode", "create")
    facts = answer(shell, *words)
    assert facts["state"] == "queued"
    assert [facts["id"]] == queued(shell.runtime)
    assert [line["state"] for line in answer(shell, "list")] == ["processing"]
    again = ask(shell, *words)
    assert "asked for already" in again.stderr
    assert json.loads(again.stdout)["id"] == facts["id"]


def test_a_job_that_fails_ends_the_command_with_1(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    words = ("process", "users.csv", "--processor", "users", "--mode", "create")
    answer(shell, *words)
    (storage(shell) / "users.csv").unlink()
    shell.json = True
    with working(shell):
        job_id = queued(shell.runtime)[0]
        _ended(shell, job_id)
    with working(shell):
        result = run(shell, "retry", job_id, "--wait")
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert (facts["state"], facts["reason"]) == ("failed", "There is no file users.csv here.")


def test_columns_are_mapped_by_hand(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("l.csv", "Wer,name,Post\nanna,Frau K,a@example.org\n"))
    maps = ("--map", "Wer=name", "--map", "name=display_name", "--map", "Post=")
    facts = process(shell, "l.csv", "users", *maps)
    assert facts["created"] == 1
    with shell.runtime.reads() as session:
        anna = find_user(session, "anna")
        assert anna is not None
        assert (anna.display_name, anna.email) == ("Frau K", "")


def test_a_saved_mapping_is_used(shell: Shell, make_file: Make) -> None:
    with shell.runtime.sessions.begin() as session:
        save_profile(
            session,
            name="Office list",
            header=["Wer", "Post"],
            processor="users",
            mode=Mode.CREATE,
            columns=["name", "email"],
            actor=SYSTEM,
            now=shell.runtime.clock(),
        )
    answer(shell, "put", make_file("l.csv", "Wer,Post\nanna,a@example.org\n"))
    assert process(shell, "l.csv", "users")["created"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--processor", "users", "--mode", "create", "--map", "Age=name"), "no column 'Age'"),
        (("--processor", "users", "--mode", "create", "--map", "name=age"), "no field 'age'"),
        (("--processor", "users", "--mode", "create", "--map", "name="), "Need at least columns"),
        (("--processor", "people", "--mode", "create"), "no processor called 'people'"),
        (("--processor", "table:none", "--mode", "create"), "no processor called 'table:none'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_said_before_a_job_is_made(
    shell: Shell, make_file: Make, words: tuple[str, ...], said: str
) -> None:
    answer(shell, "put", make_file())
    assert said in str(refusal(shell, "process", "users.csv", *words))
    assert queued(shell.runtime) == []


def test_wrong_words_are_wrong_usage(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    words = ("process", "users.csv", "--processor", "users")
    assert run(shell, *words).exit_code == 2
    assert run(shell, *words, "--mode", "insert").exit_code == 2
    assert run(shell, *words, "--mode", "create", "--map", "name").exit_code == 2
    twice = ("--map", "name=name", "--map", "name=email")
    assert run(shell, *words, "--mode", "create", *twice).exit_code == 2
    assert run(shell, *words, "--mode", "remove", "--reason", "tired").exit_code == 2


def test_a_file_that_is_not_there_is_refused(shell: Shell) -> None:
    words = ("process", "../users.csv", "--processor", "users", "--mode", "create")
    assert isinstance(refusal(shell, *words), NotFoundError)


def test_a_file_is_found_by_the_name_that_people_know(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file(), "--name", "a/b.csv")
    assert [line["name"] for line in answer(shell, "list")] == ["a/b.csv"]
    assert process(shell, "a/b.csv", "users")["created"] == 2


def test_a_pending_file_is_processed_in_its_own_mode_only(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    process(shell, "users.csv", "users")
    words = ("process", "users.create.pending.csv", "--processor", "users", "--mode", "update")
    assert "failed in mode create" in str(refusal(shell, *words))


def test_a_dry_run_tells_what_would_change_and_writes_nothing(
    shell: Shell, make_file: Make
) -> None:
    answer(shell, "put", make_file())
    process(shell, "users.csv", "users")
    answer(shell, "put", make_file("later.csv", "name,display_name\nanna,Anna Q\nzoe,Zoe\n"))
    facts = process(shell, "later.csv", "users", "--dry-run", mode="update")
    assert (facts["dry_run"], facts["updated"], facts["failed"]) == (True, 1, 1)
    (change,) = facts["changes"]
    assert (change["field"], change["before"], change["after"]) == (
        "display_name",
        "Anna K",
        "Anna Q",
    )
    with shell.runtime.reads() as session:
        anna = find_user(session, "anna")
        assert anna is not None
        assert anna.display_name == "Anna K"
    assert "later.csv" in [line["name"] for line in answer(shell, "list")]


def test_removed_records_are_restored_by_the_name_of_their_backup(
    shell: Shell, make_file: Make
) -> None:
    answer(shell, "put", make_file("p.csv", PROJECTS))
    process(shell, "p.csv", "projects")
    answer(shell, "put", make_file("left.csv", "id\nred\n"))
    facts = process(shell, "left.csv", "projects", "--reason", "graduated", mode="remove")
    assert facts["removed"] == 1
    (backup,) = answer(shell, "list", "--folder", "graduated")
    with working(shell):
        restored = answer(shell, "restore", backup["name"], "--wait")
    assert (restored["state"], restored["created"]) == ("succeeded", 1)
    with shell.runtime.reads() as session:
        project = session.get(Project, "red")
        assert project is not None
        assert project.title == "The red one"


def test_a_backup_of_unknown_origin_needs_its_processor(shell: Shell) -> None:
    (storage(shell) / "deleted" / "old.csv").write_text(PROJECTS)
    assert "--processor" in str(refusal(shell, "restore", "old.csv"))
    with working(shell):
        facts = answer(shell, "restore", "deleted/old.csv", "--processor", "projects", "--wait")
    assert facts["created"] == 2


def test_undo_takes_back_what_a_job_did(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("p.csv", PROJECTS))
    job = process(shell, "p.csv", "projects")
    with working(shell):
        facts = answer(shell, "undo", job["id"][:10], "--wait")
    assert (facts["state"], facts["undone"], facts["kept"]) == ("succeeded", 2, 0)
    with shell.runtime.reads() as session:
        assert session.get(Project, "red") is None


def test_undo_takes_a_batch_as_well(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("p.csv", PROJECTS))
    batch = process(shell, "p.csv", "projects")["batch"]
    with working(shell):
        assert answer(shell, "undo", batch[:10], "--wait")["undone"] == 2


def test_a_dry_run_can_be_neither_undone_nor_retried(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    job = process(shell, "users.csv", "users", "--dry-run")
    for command in ("undo", "retry"):
        assert isinstance(refusal(shell, command, job["id"]), ConflictError)


def test_retry_does_the_failed_rows_again(shell: Shell, make_file: Make) -> None:
    text = "project,user,role\nred,system-admin,ProjectMember\n"
    answer(shell, "put", make_file("m.csv", text))
    job = process(shell, "m.csv", "members")
    assert (job["created"], job["failed"]) == (0, 1)
    answer(shell, "put", make_file("p.csv", PROJECTS))
    process(shell, "p.csv", "projects")
    answer(shell, "put", make_file("u.csv", "name\nsystem-admin\n"))
    process(shell, "u.csv", "users")
    with working(shell):
        again = answer(shell, "retry", job["batch"], "--wait")
    assert (again["state"], again["created"], again["failed"]) == ("succeeded", 1, 0)
    assert answer(shell, "list") == []


def test_retry_of_a_batch_without_failed_rows_is_refused(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file("p.csv", PROJECTS))
    job = process(shell, "p.csv", "projects")
    assert isinstance(refusal(shell, "retry", job["id"]), ConflictError)


def test_retry_gives_a_cancelled_job_a_new_attempt(shell: Shell, make_file: Make) -> None:
    answer(shell, "put", make_file())
    words = ("process", "users.csv", "--processor", "users", "--mode", "create")
    job_id = answer(shell, *words)["id"]
    with shell.runtime.sessions.begin() as session:
        cancel(
            session,
            kinds=shell.kinds,
            actor=SYSTEM,
            job=session.scalars(select(Job).where(Job.id == job_id)).one(),
            settings=shell.settings,
            waker=shell.waker,
            now=shell.runtime.clock(),
        )
    with working(shell):
        facts = answer(shell, "retry", job_id, "--wait")
    assert (facts["id"], facts["attempt"], facts["created"]) == (job_id, 2, 2)


def test_what_is_no_job_of_the_data_centre_is_not_found(shell: Shell) -> None:
    assert isinstance(refusal(shell, "retry", "f" * 32), NotFoundError)
    assert isinstance(refusal(shell, "undo", "f"), NotFoundError)


def test_logs_are_named_and_searched(shell: Shell, make_file: Make) -> None:
    assert run(shell, "logs").stdout == "There are no logs yet.\n"
    answer(shell, "put", make_file())
    process(shell, "users.csv", "users")
    assert answer(shell, "logs") == [{"name": "users.log"}]
    (found,) = answer(shell, "logs", "create mode, [0-9]+ lines")
    assert (found["name"], len(found["lines"])) == ("users.log", 1)
    assert "processed: " in run(shell, "logs", "--log", "users.log").stdout
    assert run(shell, "logs", "no such thing").stdout == "No search results found.\n"


def test_a_search_that_is_none_is_refused(shell: Shell) -> None:
    assert isinstance(refusal(shell, "logs", "("), InvalidError)
    assert isinstance(refusal(shell, "logs", "--log", "../etc"), NotFoundError)


COMMANDS = (
    ("list",),
    ("preview", "users.csv"),
    ("process", "users.csv", "--processor", "users", "--mode", "create"),
    ("retry", "f" * 32),
    ("pause", "f" * 32),
    ("go-on", "f" * 32),
    ("put-aside", "f" * 32),
    ("undo", "f" * 32),
    ("delete", "users.csv"),
    ("storage",),
    ("restore", "users.csv"),
    ("logs",),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_who_may_not_see_the_data_centre_learns_nothing_of_it(
    shell: Shell, make_file: Make, words: tuple[str, ...]
) -> None:
    answer(shell, "put", make_file())
    shell.actor = Actor(user_id=None, name="otto", roles=frozenset({Role.OPERATOR}))
    assert isinstance(refusal(shell, *words), ForbiddenError)
    assert isinstance(refusal(shell, "put", make_file("more.csv")), ForbiddenError)


def test_a_data_manager_tries_out_but_does_not_process(shell: Shell, make_file: Make) -> None:
    shell.actor = Actor(user_id=None, name="dora", roles=frozenset({Role.DATA_MANAGER}))
    answer(shell, "put", make_file("p.csv", PROJECTS))
    words = ("process", "p.csv", "--processor", "projects", "--mode", "create")
    assert isinstance(refusal(shell, *words), ForbiddenError)
    assert answer(shell, *words, "--dry-run")["state"] == "queued"


def test_a_processor_wants_its_own_right_too(shell: Shell, make_file: Make) -> None:
    shell.actor = Actor(user_id=None, name="ina", roles=frozenset({Role.IMPORT_MANAGER}))
    answer(shell, "put", make_file())
    words = ("process", "users.csv", "--processor", "users", "--mode", "create")
    assert isinstance(refusal(shell, *words), ForbiddenError)


def _ended(shell: Shell, job_id: str) -> None:
    wait_until(lambda: job_id not in queued(shell.runtime))
