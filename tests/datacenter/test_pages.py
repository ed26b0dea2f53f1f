"""The pages of the data centre and of its failing rows: what they show, to whom, what they do."""

import html
import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.permissions import Role
from portal.audit.models import AuditEntry
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.rows.batch import Batch, BatchState
from portal.rows.models import PORTAL_LEDGER
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.datacenter.processing import Office, open_office

USERS = "name,display_name,email\nanna,Anna K,anna@example.org\nbob,Bob,none\ncleo,Cleo,neither\n"
HTMX = {"HX-Request": "true"}
LONG_AGO = "Wie wär’s mit «Größe» 1998.csv"


@pytest.fixture
def office(runtime: Runtime) -> Office:
    return open_office(runtime, Role.ADMIN)


@pytest.fixture
def boss(app: Flask, office: Office) -> Browser:
    return signed_in(app, office)


def signed_in(app: Flask, office: Office) -> Browser:
    browser = Browser(app)
    assert browser.sign_in(office.actor.name).status_code == 303
    return browser


def upload(browser: Browser, name: str, text: str, **more: Any) -> str:
    files = {"files": (io.BytesIO(text.encode()), name), **more}
    assert browser.post("/datacenter", files).status_code == 303
    return browser.get("/datacenter").text


def run_of(office: Office, location: str) -> Batch:
    job_id = location.rpartition("/")[2]
    assert perform(job_id, engine=office.engine) is JobState.SUCCEEDED
    return office.batch(str(office.job(job_id).result["batch"]))


def failed_batch(office: Office) -> Batch:
    office.put("users.csv", USERS)
    return office.process("users.csv", "users")


def test_an_uploaded_file_waits_in_the_list(boss: Browser) -> None:
    text = upload(boss, LONG_AGO, USERS)
    assert "3 rows" in text
    assert "Wie wär’s mit «Größe» 1998.csv" in text


def test_a_refused_file_says_why_and_nothing_is_stored(boss: Browser, office: Office) -> None:
    assert "Only CSV files and spreadsheets are taken" in upload(boss, "notes.pdf", "x")
    assert "line 2" in upload(boss, "broken.csv", 'a,b\n"open,1\n').casefold()
    assert office.lying()[""] == []


def test_one_refused_file_does_not_keep_the_others_out(boss: Browser, office: Office) -> None:
    files = [(io.BytesIO(b"%PDF-1.7\n"), "scan.csv"), (io.BytesIO(USERS.encode()), "users.csv")]
    assert boss.post("/datacenter", {"files": files}).status_code == 303
    assert "a PDF document" in boss.get("/datacenter").text
    assert office.lying()[""] == ["users.csv"]


def test_a_refused_name_says_what_to_do(boss: Browser) -> None:
    upload(boss, "users.csv", USERS)
    assert "Rename yours" in upload(boss, "users.csv", USERS)


def test_the_processor_of_a_pending_file_is_chosen_already(boss: Browser, office: Office) -> None:
    failed_batch(office)
    text = boss.get("/datacenter/files/users.create.pending.csv").text
    assert '<option value="users" selected>' in text


def test_retrying_none_says_that_none_was_chosen(boss: Browser, office: Office) -> None:
    batch = failed_batch(office)
    boss.get(f"/rows/{batch.id}")
    assert boss.post(f"/rows/{batch.id}/retry", {}).status_code == 303
    assert "No item selected." in boss.get(f"/rows/{batch.id}").text


def test_a_file_shows_how_it_is_read_and_what_it_could_become(
    boss: Browser, office: Office
) -> None:
    office.put("users.csv", USERS)
    text = boss.get("/datacenter/files/users.csv").text
    assert "Anna K" in text
    chosen = boss.get("/datacenter/files/users.csv?processor=users&mode=create").text
    assert "The columns are enough." in chosen
    part = boss.htmx("GET", "/datacenter/files/users.csv?processor=users&mode=create&column-0=")
    assert "<html" not in part.text


def test_a_mapping_that_is_not_enough_says_what_is_missing(boss: Browser, office: Office) -> None:
    office.put("users.csv", USERS)
    asked = "processor=users&mapped_for=users&mode=create&column-0="
    text = boss.get(f"/datacenter/files/users.csv?{asked}").text
    assert "Need at least columns &#39;name&#39; for import!" in text
    answer = boss.post(
        "/datacenter/files/users.csv",
        {"processor": "users", "mapped_for": "users", "mode": "create", "column-0": ""},
    )
    assert answer.status_code == 422


def test_a_saved_mapping_is_used_for_the_next_file_like_it(boss: Browser, office: Office) -> None:
    office.put("a.csv", "Login,Whole\nanna,Anna K\n")
    form = {"processor": "users", "mapped_for": "users", "mode": "create", "save_as": "our users"}
    form |= {"column-0": "name", "column-1": "display_name", "action": "plan"}
    assert boss.post("/datacenter/files/a.csv", form).status_code == 303
    office.put("b.csv", "login,whole\nbob,Bob B\n")
    text = boss.get("/datacenter/files/b.csv?processor=users&mode=create").text
    assert "mapped as they were saved" in text


def test_a_dry_run_is_applied_as_it_was_tried(boss: Browser, office: Office) -> None:
    office.put("users.csv", USERS)
    form = {"processor": "users", "mapped_for": "users", "mode": "create", "action": "plan"}
    form |= {"column-0": "name", "column-1": "display_name", "column-2": "email"}
    plan = boss.post("/datacenter/files/users.csv", form).location
    assert run_of(office, plan).order.dry_run
    shown = boss.get(plan).text
    assert "a dry run, nothing was written" in shown
    assert "write an e-mail address" in shown
    done = run_of(office, boss.post(f"{plan}/apply").location)
    assert (done.counts.created, done.counts.failed, done.order.dry_run) == (1, 2, False)


def test_from_a_dry_run_one_comes_back_to_the_mapping_as_it_was(
    boss: Browser, office: Office
) -> None:
    office.put("users.csv", USERS)
    form = {"processor": "users", "mapped_for": "users", "mode": "upsert", "column-0": "name"}
    form |= {"column-1": "", "column-2": "email", "rule-case-0": "upper", "action": "plan"}
    boss.get("/datacenter/files/users.csv")
    plan = boss.post("/datacenter/files/users.csv", form).location
    run_of(office, plan)
    found = re.search(
        r'href="(/datacenter/files/[^"]+)"[^>]*>.*?Change the mapping', boss.get(plan).text
    )
    assert found
    text = boss.get(html.unescape(found[1])).text
    assert '<option value="upsert" selected>' in text
    assert '<option value="upper" selected>' in text
    assert re.search(
        r'name="column-1".*?<option value="">– left out –</option>(?!.*selected)', text
    )


def test_why_rows_fail_names_the_fields_as_people_know_them(boss: Browser, office: Office) -> None:
    batch = failed_batch(office)
    text = boss.get(f"/datacenter/runs/{batch.job_id}").text
    assert "<td>E-mail</td>" in text
    assert "<td>email</td>" not in text
    assert "<td>Users <span" in boss.get("/datacenter/batches").text


def test_a_file_that_changed_after_its_dry_run_is_not_processed(
    boss: Browser, office: Office
) -> None:
    office.put("users.csv", USERS)
    plan = office.ask(office.order("users.csv", "users", dry_run=True))
    perform(plan, engine=office.engine)
    (office.center.storage / "users.csv").write_text("name\nother\n")
    job_id = boss.post(f"/datacenter/runs/{plan}/apply").location.rpartition("/")[2]
    assert perform(job_id, engine=office.engine) is JobState.FAILED
    assert "changed after it was looked at" in office.job(job_id).reason


def test_failing_rows_stand_in_a_grid_with_the_error_under_the_cell(
    boss: Browser, office: Office
) -> None:
    batch = failed_batch(office)
    text = boss.get(f"/rows/{batch.id}").text
    assert text.count('aria-invalid="true"') == 2
    assert "anna@example.org" not in text


def test_a_cell_that_is_typed_over_is_checked_at_once(boss: Browser, office: Office) -> None:
    batch = failed_batch(office)
    boss.get(f"/rows/{batch.id}")
    good = boss.post(f"/rows/{batch.id}/2", {"cell-2": "bob@example.org"}, headers=HTMX)
    assert "ready" in good.text
    bad = boss.post(f"/rows/{batch.id}/3", {"cell-2": "still not"}, headers=HTMX)
    assert 'aria-invalid="true"' in bad.text


def test_a_value_is_replaced_in_all_failing_rows_and_all_are_retried(
    boss: Browser, office: Office
) -> None:
    batch = failed_batch(office)
    boss.get(f"/rows/{batch.id}")
    boss.post(f"/rows/{batch.id}/replace", {"column": "2", "old": "none", "new": ""})
    boss.post(f"/rows/{batch.id}/replace", {"column": "2", "old": "neither", "new": ""})
    answer = boss.post(f"/rows/{batch.id}/retry", {"all": "yes"})
    assert run_of(office, answer.location).counts.failed == 0
    assert office.lying()["finished"] == ["users.create.finished.csv", "users.csv"]


def test_skipped_rows_are_left_out_with_a_reason(boss: Browser, office: Office) -> None:
    batch = failed_batch(office)
    boss.get(f"/rows/{batch.id}")
    boss.post(f"/rows/{batch.id}/skip", {"row": "2", "reason": ""})
    assert office.batch(batch.id).counts.skipped == 0
    boss.post(f"/rows/{batch.id}/skip", {"row": "2", "reason": "left the office"})
    assert (office.batch(batch.id).counts.skipped, office.batch(batch.id).counts.failed) == (1, 1)


def test_failing_rows_are_a_download_with_their_errors_last(boss: Browser, office: Office) -> None:
    batch = failed_batch(office)
    answer = boss.get(f"/rows/{batch.id}/failing")
    assert "users.create.pending.csv" in answer.headers["Content-Disposition"]
    lines = answer.text.splitlines()
    assert lines[0] == "name,display_name,email,--ERRORS--"
    assert re.match(r"bob,Bob,none,email: ", lines[1])
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("role", "page", "repair"),
    [(Role.MEMBER, 404, 404), (Role.DATA_MANAGER, 200, 403), (Role.IMPORT_MANAGER, 200, 403)],
)
def test_who_may_see_and_repair_failing_rows(
    app: Flask, runtime: Runtime, office: Office, role: Role, page: int, repair: int
) -> None:
    batch = failed_batch(office)
    browser = signed_in(app, open_office(runtime, role, name="other"))
    assert browser.get(f"/rows/{batch.id}").status_code == page
    browser.get("/accounts/password")
    assert browser.post(f"/rows/{batch.id}/2", {"cell-2": "b@example.org"}).status_code == repair
    assert browser.post(f"/rows/{batch.id}/retry", {"all": "yes"}).status_code == repair
    assert office.batch(batch.id).attempt == batch.attempt


def test_rows_of_anothers_projects_are_not_repaired_with_his_rights(
    app: Flask, runtime: Runtime, office: Office
) -> None:
    office.put("projects.csv", "id,title,policy\nfirst,First,none\n")
    batch = office.process("projects.csv", "projects")
    browser = signed_in(app, open_office(runtime, Role.IMPORT_MANAGER, name="other"))
    browser.get("/accounts/password")
    assert browser.post(f"/rows/{batch.id}/1", {"cell-2": "open"}).status_code == 403


def test_rows_of_what_one_may_process_are_repaired_and_that_is_recorded(
    app: Flask, runtime: Runtime
) -> None:
    own = open_office(runtime, Role.IMPORT_MANAGER, Role.MEMBER, name="other")
    own.put("projects.csv", "id,title,policy\nfirst,First,none\nsecond,Second,nil\n")
    batch = own.process("projects.csv", "projects")
    browser = signed_in(app, own)
    browser.get(f"/rows/{batch.id}")
    browser.post(f"/rows/{batch.id}/1", {"cell-2": "open"})
    browser.post(f"/rows/{batch.id}/replace", {"column": "2", "old": "nil", "new": "open"})
    browser.post(f"/rows/{batch.id}/skip", {"row": "1", "reason": "not ours"})
    with runtime.reads() as session:
        query = select(AuditEntry).where(AuditEntry.object_id == batch.id).order_by(AuditEntry.id)
        found = [(entry.actor_name, entry.action, entry.detail) for entry in session.scalars(query)]
    assert found == [
        ("other", "rows.edit", {"row": 1, "columns": [2]}),
        ("other", "rows.replace", {"column": 2, "rows": 1}),
        ("other", "rows.skip", {"rows": 1}),
    ]


@pytest.mark.parametrize("digits", ["²", "9" * 30, "-1", "x"])
def test_numbers_that_are_none_are_no_error(boss: Browser, office: Office, digits: str) -> None:
    batch = failed_batch(office)
    office.put("more.csv", USERS)
    for page in (
        f"/rows/{batch.id}?after={digits}",
        f"/rows/{batch.id}/candidates?column={digits}",
        f"/datacenter/batches?before={digits}",
        f"/datacenter/files/more.csv?column-{digits}=name",
    ):
        assert boss.get(page).status_code == 200
    assert boss.post(f"/rows/{batch.id}/2", {f"cell-{digits}": "x"}).status_code == 303
    assert boss.post(f"/rows/{batch.id}/skip", {"row": digits, "reason": "x"}).status_code == 303


def test_a_backup_whose_name_is_no_text_hides_no_other(boss: Browser, office: Office) -> None:
    folder = os.fsencode(office.center.deleted_path)
    for name in (b"\xff.csv", b"good.csv"):
        Path(os.fsdecode(folder + b"/" + name)).write_text("name\nanna\n")
    answer = boss.get("/datacenter/folders/deleted")
    assert answer.status_code == 200
    assert "good.csv" in answer.text


def test_deleted_files_are_gone_and_named(boss: Browser, office: Office) -> None:
    office.put("users.csv", USERS)
    boss.get("/datacenter")
    boss.post("/datacenter/delete", {"name": "users.csv"})
    assert "Successfully deleted: users.csv" in boss.get("/datacenter").text
    assert office.lying()[""] == []


def test_a_file_is_downloaded_under_its_own_name(boss: Browser) -> None:
    upload(boss, LONG_AGO, USERS)
    found = re.search(r'href="(/datacenter/download/[^"]+)"', boss.get("/datacenter").text)
    assert found
    answer = boss.get(found[1])
    assert answer.text == USERS
    assert "1998.csv" in answer.headers["Content-Disposition"]


def test_templates_name_the_fields_of_a_processor(boss: Browser) -> None:
    assert boss.get("/datacenter/templates/users.csv").text.startswith("\ufeffname,")
    workbook = boss.htmx("GET", "/datacenter/templates/users.xlsx")
    assert workbook.data.startswith(b"PK")
    assert boss.get("/datacenter/templates/users.pdf").status_code == 404


def test_logs_are_searched_and_a_wrong_expression_is_said(boss: Browser, office: Office) -> None:
    failed_batch(office)
    assert "1 successful/ 2 failed" in boss.get("/datacenter/logs?search=processed").text
    assert "Invalid search expression." in boss.get("/datacenter/logs?search=%28").text
    assert "No search results found." in boss.get("/datacenter/logs?search=nobody").text


def test_the_storage_is_changed_with_its_files(boss: Browser, office: Office, tmp_path) -> None:
    office.put("users.csv", USERS)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    boss.get("/datacenter/settings")
    boss.post("/datacenter/settings", {"path": str(elsewhere), "move": "yes"})
    assert office.center.storage == elsewhere
    assert office.lying()[""] == ["users.csv"]


def test_a_reference_is_chosen_from_what_there_is(boss: Browser, office: Office) -> None:
    office.put("projects.csv", "id,title\nred,The red one\nblue,Blue\n")
    office.process("projects.csv", "projects")
    office.put("members.csv", "project,user\nrot,berta\n")
    batch = office.process("members.csv", "members")
    assert 'list="candidates-' in boss.get(f"/rows/{batch.id}").text
    options = boss.htmx("GET", f"/rows/{batch.id}/candidates?column=0&cell-0=re").text
    assert '<option value="red">The red one</option>' in options
    assert "blue" not in options


def test_rows_that_were_repaired_in_a_file_are_not_done_again(
    boss: Browser, office: Office
) -> None:
    batch = failed_batch(office)
    pending = office.text("users.create.pending.csv")
    pending = pending.replace("none", "bob@example.org").replace("neither", "cleo@example.org")
    office.put("users.create.pending.csv", pending, replace=True)
    boss.get(f"/rows/{batch.id}")
    boss.post(f"/rows/{batch.id}/retry", {"all": "yes"})
    assert "replaced by an uploaded file" in boss.get(f"/rows/{batch.id}").text
    office.process("users.create.pending.csv", "users")
    boss.post(f"/rows/{batch.id}/retry", {"all": "yes"})
    assert "were processed from their file meanwhile" in boss.get(f"/rows/{batch.id}").text
    assert office.batch(batch.id).attempt == 1


def test_what_is_no_table_at_all_says_so(boss: Browser, office: Office) -> None:
    assert "forbidden characters or has invalid CSV format" in upload(boss, "a.csv", "%PDF-1.7 x")
    assert office.lying()[""] == []


def test_a_name_that_turns_the_text_round_is_written_out_in_messages(boss: Browser) -> None:
    boss.get("/datacenter")
    boss.post("/datacenter", {"files": (io.BytesIO(b"a,b\n1,2\n"), "invoice\u202evsc.exe")})
    shown = boss.get("/datacenter").text
    assert "\u202e" not in shown
    assert "invoice\\u202evsc.exe" in shown


def test_control_characters_of_a_cell_are_written_out(boss: Browser, office: Office) -> None:
    office.put("users.csv", "name,display_name\nanna,Anna\u202eK\n")
    shown = boss.get("/datacenter/files/users.csv?processor=users").text
    assert "\u202e" not in shown
    assert "Anna\\u202eK" in shown


def test_a_cancelled_batch_offers_one_way_to_do_the_rest(boss: Browser, office: Office) -> None:
    office.put("users.csv", USERS)
    job_id = office.ask(office.order("users.csv", "users"))
    office.finish(job_id)
    cut_short(office, job_id, JobState.CANCELLED)
    shown = boss.get(f"/datacenter/runs/{job_id}").text
    assert (f"/jobs/{job_id}/retry" in shown, "/go-on" in shown) == (True, True)
    assert ">Go on<" not in shown
    assert "Retry does them" in shown


def test_a_paused_batch_goes_on_as_its_job_needs_no_retry(boss: Browser, office: Office) -> None:
    office.put("users.csv", USERS)
    job_id = office.ask(office.order("users.csv", "users"))
    office.finish(job_id)
    cut_short(office, job_id, JobState.SUCCEEDED)
    shown = boss.get(f"/datacenter/runs/{job_id}").text
    assert (f"/jobs/{job_id}/retry" in shown, ">Go on<" in shown) == (False, True)


def cut_short(office: Office, job_id: str, state: JobState) -> None:
    """As if the batch of the job had been cut short, and the job ended so."""
    table = PORTAL_LEDGER.batch
    with office.runtime.sessions.begin() as session:
        session.execute(update(Job).where(Job.id == job_id).values(state=str(state)))
        its = update(table).where(table.c.job_id == job_id)
        session.execute(its.values(state=str(BatchState.CANCELLED)))
