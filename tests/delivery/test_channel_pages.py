"""The pages of channels: their list, one at work, making, changing and removing them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.permissions import Role
from portal.delivery.lock_notes import LockNote
from portal.delivery.meter import FileMeter
from portal.delivery.states import Direction
from portal.jobs.models import Job, JobState, Schedule
from portal.runtime import Runtime
from tests.browser_like import Browser
from tests.delivery.browsing import audited, follow, read, sign_in, words
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

HERE = "/delivery/channels/1"
FORM = {
    "name": "reports",
    "endpoint": "partner",
    "direction": "send",
    "spool": "",
    "include": "*.csv",
    "exclude": "",
    "keep_days": "",
    "after_fetch": "remove",
    "done_folder": "",
    "cron": "",
}


@pytest.fixture
def olga(app: Flask, runtime: Runtime) -> Browser:
    return sign_in(app, runtime, Role.OPERATOR)


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


def lock(site: Site, *, beat: datetime) -> None:
    note = LockNote(id="x" * 32, owner="somebody", host="there", process=1, since=beat, beat=beat)
    (site.folder / "write").write_bytes(note.written())


def jobs(runtime: Runtime) -> list[Job]:
    with runtime.reads() as session:
        return list(session.scalars(select(Job).order_by(Job.number)))


def schedules(runtime: Runtime) -> list[Schedule]:
    with runtime.reads() as session:
        return list(session.scalars(select(Schedule).order_by(Schedule.id)))


def test_without_anything_one_is_told_to_begin_with_an_endpoint(olga: Browser) -> None:
    text = read(olga, "/delivery")
    assert "No endpoints yet" in text
    assert 'href="/delivery/endpoints/new"' in olga.get("/delivery").text


def test_the_list_tells_what_waits_and_what_the_last_run_came_to(olga: Browser, site: Site) -> None:
    site.put("a")
    assert "1 to send" in read(olga, "/delivery")
    site.run()
    text = read(olga, "/delivery")
    assert "Ready" in text
    assert "1 file sent." in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("text=ARTI", True),
        ("text=127.0.0.1", True),
        ("text=nothing", False),
        ("state=ready", True),
        ("state=paused", False),
        ("direction=send", True),
        ("direction=fetch", False),
        ("state=nonsense", True),
    ],
)
def test_the_list_can_be_narrowed(olga: Browser, site: Site, query: str, found: bool) -> None:
    text = read(olga, f"/delivery?{query}")
    assert ("No channel matches" not in text) is found
    assert site.channel().name == "articles"


def test_an_unchanged_list_is_answered_without_a_body(olga: Browser, site: Site) -> None:
    site.put("a")
    first = olga.htmx("GET", "/delivery")
    again = olga.htmx("GET", "/delivery", **{"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    site.put("b")
    changed = olga.htmx("GET", "/delivery", **{"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_a_channel_is_run_by_a_button(olga: Browser, site: Site) -> None:
    site.put("a")
    olga.get(HERE)
    text = follow(olga, f"{HERE}/run")
    assert "Queued" in text
    assert jobs(site.runtime)[0].requester_name == "olga"


def test_a_second_click_joins_the_run(olga: Browser, site: Site) -> None:
    olga.get(HERE)
    olga.post(f"{HERE}/run")
    assert "is under way" in follow(olga, f"{HERE}/run")
    assert len(jobs(site.runtime)) == 1


def test_a_channel_shows_the_files_of_its_last_run(olga: Browser, site: Site) -> None:
    site.put("a.xml", b"x" * 2000)
    site.run()
    text = read(olga, HERE)
    assert "Delivered 2.0 kB" in text
    assert "1 file, 2.0 kB" in text


def test_what_waits_is_listed_with_names_that_are_refused(olga: Browser, site: Site) -> None:
    site.put("a.xml")
    (site.spool.root / "new" / "write").write_text("x")
    text = read(olga, HERE)
    assert "Waits to be sent (2)" in text
    assert "taken for a lock" in text


def test_a_spool_that_cannot_be_read_is_said_in_words(olga: Browser, site: Site) -> None:
    site.change(spool="/dev/null")
    assert "The spool cannot be read" in read(olga, HERE)
    assert "?" in read(olga, "/delivery")


def test_a_pause_is_kept_and_ended(olga: Browser, site: Site) -> None:
    site.put("a")
    olga.get(HERE)
    assert "The channel is paused; 1 file waits." in follow(olga, f"{HERE}/pause")
    assert site.channel().paused
    follow(olga, f"{HERE}/resume", {"back": "list"})
    assert not site.channel().paused
    assert audited(site.runtime, "delivery.channel.pause") == [("olga", "articles")]


def test_a_failure_is_told_with_its_reason(olga: Browser, site: Site) -> None:
    site.put("a")
    site.folder.rename(site.folder.with_name("gone"))
    site.run()
    text = read(olga, HERE)
    assert "The last run failed:" in text
    assert "to try again" in text


def test_a_stale_lock_is_shown_and_broken_by_an_operator(olga: Browser, site: Site) -> None:
    site.put("a")
    lock(site, beat=datetime.now(UTC) - timedelta(hours=2))
    site.run()
    text = read(olga, HERE)
    assert "Stale" in text
    assert "somebody on there" in text
    assert "Sign of life 2 h ago" in text
    olga.post(f"{HERE}/break-lock")
    assert audited(site.runtime, "delivery.lock.break") == [("olga", "articles")]
    assert jobs(site.runtime)[-1].kind == "delivery.break_lock"


def test_a_live_lock_needs_nothing(olga: Browser, site: Site) -> None:
    site.put("a")
    lock(site, beat=datetime.now(UTC))
    site.run()
    assert "there is nothing to do" in read(olga, HERE)


def test_where_no_lock_was_met_none_is_broken(olga: Browser, site: Site) -> None:
    olga.get(HERE)
    assert "met no lock" in follow(olga, f"{HERE}/break-lock")
    assert jobs(site.runtime) == []


def test_a_channel_is_made_with_its_schedule(olga: Browser, site: Site) -> None:
    assert "Choose…" in read(olga, "/delivery/channels/new")
    text = follow(olga, "/delivery/channels", FORM | {"cron": "*/15 * * * *"})
    assert "reports is ready" in text
    assert "*.csv" in text
    assert "*/15 * * * *" in text
    assert schedules(site.runtime)[0].args == {"channel_id": 2}
    assert (site.spool.root.parent / "reports" / "new").is_dir()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": ""}, "Give the channel a name."),
        ({"name": "articles"}, "There is a channel"),
        ({"endpoint": ""}, "Choose an endpoint."),
        ({"spool": "articles"}, "is the spool of the channel"),
        ({"spool": "/etc"}, "PORTAL_DELIVERY_FOLDERS"),
        ({"cron": "at noon"}, "no cron expression"),
        ({"keep_days": "0"}, "at least 1"),
        ({"direction": "fetch", "after_fetch": "move"}, "Name the folder"),
    ],
)
def test_a_wrong_channel_comes_back_with_what_is_wrong(
    olga: Browser, site: Site, values: dict[str, Any], said: str
) -> None:
    olga.get("/delivery/channels/new")
    response = olga.post("/delivery/channels", FORM | values)
    assert response.status_code == 422
    assert said in words(response.text)
    assert site.channel().name == "articles"


def test_a_channel_is_changed(olga: Browser, site: Site) -> None:
    assert "only these files" in read(olga, f"{HERE}/edit").lower()
    values = {"include": "*.xml", "keep_days": "30", "after_fetch": "remove"}
    assert "30 days" in follow(olga, f"{HERE}/edit", values)
    assert (site.channel().include, site.channel().keep_days) == ("*.xml", 30)
    assert audited(site.runtime, "delivery.channel.change") == [("olga", "articles")]


def test_a_channel_is_removed_with_its_schedules_but_not_its_files(
    olga: Browser, site: Site
) -> None:
    site.put("a")
    olga.get(HERE)
    follow(olga, f"{HERE}/schedules", {"cron": "0 6 * * *"})
    assert "Its files are still in" in follow(olga, f"{HERE}/remove")
    assert olga.get(HERE).status_code == 404
    assert schedules(site.runtime) == []
    assert site.here() == {"new": ["a"]}


def test_a_channel_that_runs_is_not_removed(olga: Browser, site: Site) -> None:
    olga.get(HERE)
    olga.post(f"{HERE}/run")
    assert "It runs now." in follow(olga, f"{HERE}/remove")
    assert site.channel().name == "articles"


def test_a_schedule_is_stopped_and_deleted_by_its_owner(olga: Browser, site: Site) -> None:
    olga.get(HERE)
    follow(olga, f"{HERE}/schedules", {"cron": "0 6 * * *"})
    assert "Stopped" in follow(olga, f"{HERE}/schedules/1/pause")
    follow(olga, f"{HERE}/schedules/1/resume")
    assert schedules(site.runtime)[0].enabled
    follow(olga, f"{HERE}/schedules/1/remove")
    assert schedules(site.runtime) == []


def test_a_schedule_of_another_operator_stays(
    olga: Browser, app: Flask, site: Site, runtime: Runtime
) -> None:
    olga.get(HERE)
    follow(olga, f"{HERE}/schedules", {"cron": "0 6 * * *"})
    otto = sign_in(app, runtime, Role.OPERATOR, name="otto")
    assert "olga" in read(otto, HERE)
    assert otto.post(f"{HERE}/schedules/1/remove").status_code == 403
    assert otto.post(f"{HERE}/schedules/4711/remove").status_code == 404


def test_a_wrong_expression_is_said_on_the_page(olga: Browser, site: Site) -> None:
    olga.get(HERE)
    assert "no cron expression" in follow(olga, f"{HERE}/schedules", {"cron": "soon"})
    assert schedules(site.runtime) == []


def test_what_was_fetched_is_told_as_arrived(
    olga: Browser, runtime: Runtime, scripted: ScriptedServer
) -> None:
    site = Site(runtime, url=scripted.url(), folder=scripted.folder, direction=Direction.FETCH)
    (site.folder / "b.xml").write_bytes(b"b")
    assert site.run().state == JobState.SUCCEEDED
    assert "Arrived, to be taken from" in read(olga, HERE)
    assert "1 arrived" in read(olga, "/delivery")


def test_the_throughput_of_a_month_is_a_fragment_of_its_own(olga: Browser, site: Site) -> None:
    site.put("a", b"x" * 500)
    site.run()
    text = olga.htmx("GET", f"{HERE}/throughput?span=month").text
    assert "500 bytes in the last 30 days" in text
    assert text.count("<rect") == 1
    assert olga.get(f"{HERE}/throughput?span=month").location.endswith("?span=month#throughput")


def test_the_page_hears_when_a_run_has_ended(olga: Browser, site: Site) -> None:
    olga.get(HERE)
    olga.post(f"{HERE}/run")
    running = olga.htmx("GET", HERE)
    assert f'hx-get="{HERE}?was=active"' in running.text
    assert "HX-Trigger" not in olga.htmx("GET", f"{HERE}?was=active").headers
    site.run()
    ended = olga.htmx("GET", f"{HERE}?was=active")
    assert ended.headers["HX-Trigger"] == "job-ended"
    assert f'hx-get="{HERE}"' in ended.text


def test_the_newest_files_are_a_fragment_of_their_own(olga: Browser, site: Site) -> None:
    site.put("a.xml")
    site.run()
    assert "a.xml" in olga.htmx("GET", f"{HERE}/recent").text
    assert olga.get(f"{HERE}/recent").location.endswith("/1#recent")


def test_each_file_on_its_way_is_shown(olga: Browser, site: Site) -> None:
    olga.get(HERE)
    olga.post(f"{HERE}/run")
    meter = FileMeter(site.runtime.redis, jobs(site.runtime)[0].id)
    meter.begin("large.xml", 4000, done=1000)
    assert "large.xml 25 % of 4.0 kB" in read(olga, HERE)


def test_who_is_no_operator_sees_nothing(app: Flask, runtime: Runtime, site: Site) -> None:
    mia = sign_in(app, runtime, Role.MEMBER, name="mia")
    assert {mia.get(url).status_code for url in ("/delivery", HERE, "/delivery/history")} == {403}
    assert 'href="/delivery"' not in mia.get("/").text
    assert site.channel().name == "articles"
