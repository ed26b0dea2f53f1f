"""Sending: each file is at the server once, whole, under its name; or its row says why not."""

import hashlib

import pytest

from portal.delivery.channels import ChannelOptions
from portal.delivery.spool import Space
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.delivery.real_servers import RealServer
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site, site_at

BIG = bytes(range(256)) * 20_000


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_server_gets_every_file(runtime: Runtime, real: RealServer) -> None:
    site = site_at(runtime, real)
    files = {f"file {n}": f"content {n}".encode() * n for n in range(60)} | {"big": BIG}
    for name, content in files.items():
        site.put(name, content)
    job = site.run()
    there = site.there()
    for path in real.folder.iterdir():
        path.unlink()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert there == files
    assert site.here() == {"cur": sorted(files)}


def test_what_was_sent_stands_in_the_ledger(site: Site) -> None:
    site.put("a", b"content")
    job = site.run()
    row = site.rows()[0]
    assert (row.state, row.size, row.job_id, row.tries) == ("delivered", 7, job.id, 1)
    assert row.sha256 == hashlib.sha256(b"content").hexdigest()
    assert row.ended_at is not None
    assert job.result["message"] == "1 file sent."


def test_with_nothing_to_send_nobody_is_called(site: Site, scripted: ScriptedServer) -> None:
    job = site.run()
    assert job.state == JobState.SUCCEEDED
    assert scripted.script.commands == []


def test_files_go_in_the_order_of_their_names(site: Site, scripted: ScriptedServer) -> None:
    for name in ("c", "a", "b"):
        site.put(name)
    site.run()
    renamed = [line for line in scripted.script.commands if line.startswith("RNTO")][1:]
    assert renamed == ["RNTO a", "RNTO b", "RNTO c"]


def test_no_file_is_seen_half_under_its_name(site: Site, scripted: ScriptedServer) -> None:
    site.put("a")
    site.run()
    stored = [line for line in scripted.script.commands if line.startswith("STOR")]
    assert "STOR a" not in stored


def test_an_earlier_file_on_the_server_is_replaced(site: Site) -> None:
    (site.folder / "a").write_bytes(b"earlier and longer")
    site.put("a", b"new")
    site.run()
    assert site.there() == {"a": b"new"}


def test_an_earlier_file_in_cur_is_kept(site: Site) -> None:
    for content in (b"first", b"second"):
        site.put("a.csv", content)
        site.run()
    assert site.here() == {"cur": ["a.csv", "a~2.csv"]}
    assert site.there() == {"a.csv": b"second"}
    assert [row.kept_as for row in site.rows()] == ["", "a~2.csv"]


def test_only_chosen_files_are_sent(runtime: Runtime, scripted: ScriptedServer) -> None:
    options = ChannelOptions(include="*.xml\n*.csv", exclude="draft-*")
    site = Site(runtime, url=scripted.url(), folder=scripted.folder, options=options)
    for name in ("a.xml", "b.csv", "c.txt", "draft-d.xml"):
        site.put(name)
    site.run()
    assert sorted(site.there()) == ["a.xml", "b.csv"]
    assert site.here()["new"] == ["c.txt", "draft-d.xml"]


def test_a_file_whose_name_is_refused_is_put_aside_before_anything_is_sent(
    site: Site, scripted: ScriptedServer
) -> None:
    (site.spool.root / "new" / "a\r\nDELE b").write_bytes(b"x")
    job = site.run()
    assert scripted.script.commands == []
    assert site.here() == {"quarantine": ["refused-a__DELE b"]}
    assert (site.rows()[0].state, site.rows()[0].reason) == ("quarantined", "refused name")
    assert job.result["quarantined"] == 1


def test_a_paused_channel_sends_nothing(site: Site) -> None:
    site.put("a")
    site.change(paused=True)
    site.run()
    assert site.here() == {"new": ["a"]}


@pytest.mark.parametrize("command", ["STOR", "226", "SIZE", "RNFR", "RNTO", "EPSV"])
@pytest.mark.parametrize("fault", ["drop", "drop after"])
@pytest.mark.parametrize("after", ["", "RNTO write"])
def test_a_broken_line_is_opened_again_and_nothing_is_lost_or_sent_twice(
    site: Site, scripted: ScriptedServer, command: str, fault: str, after: str
) -> None:
    scripted.script.armed_by = after
    for name in ("a", "b", "c"):
        site.put(name, name.encode() * 5000)
    scripted.script.once[command] = fault
    job = site.run()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert site.there() == {name: name.encode() * 5000 for name in ("a", "b", "c")}
    assert set(site.states().values()) == {"delivered"}
    assert site.here() == {"cur": ["a", "b", "c"]}


def test_a_file_that_was_taken_before_the_reply_came_is_called_uncertain(
    site: Site, scripted: ScriptedServer
) -> None:
    site.put("a")
    scripted.script.once["RNTO a"] = "drop after"
    scripted.script.take = "a"
    site.run()
    row = site.rows()[0]
    assert row.state == "uncertain"
    assert "ask the receiver" in row.message
    assert site.here() == {"quarantine": ["a"]}


def test_an_uncertain_file_is_not_sent_again_by_itself(
    site: Site, scripted: ScriptedServer
) -> None:
    site.put("a")
    scripted.script.once["RNTO a"] = "drop after"
    scripted.script.take = "a"
    site.run()
    site.run()
    assert site.there() == {}


def test_a_server_that_lies_about_the_end_of_a_transfer_is_found_out(
    site: Site, scripted: ScriptedServer
) -> None:
    site.put("a", BIG)
    scripted.script.truncate_to = 1000
    job = site.run()
    assert job.state == JobState.SUCCEEDED
    assert site.there() == {"a": BIG}
    assert site.rows()[0].tries == 2


def test_a_file_that_never_arrives_whole_is_put_aside(site: Site, scripted: ScriptedServer) -> None:
    site.put("a", BIG)
    site.put("b")
    scripted.script.truncate_always = 1000
    site.run()
    assert site.states() == {"a": "quarantined", "b": "delivered"}
    assert site.rows()[0].reason == "integrity"
    assert site.there() == {"b": b"content"}
    assert site.here() == {"cur": ["b"], "quarantine": ["a"]}


def test_where_the_target_cannot_be_renamed_over_the_old_file_is_kept_until_the_new_one_is_there(
    site: Site, scripted: ScriptedServer
) -> None:
    (site.folder / "a").write_bytes(b"earlier")
    scripted.script.refuse_rename_over = True
    site.put("a", b"new")
    site.put("b", b"other")
    job = site.run()
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert site.there() == {"a": b"new", "b": b"other"}


def test_a_full_server_ends_the_run_and_it_comes_back_later(
    site: Site, scripted: ScriptedServer
) -> None:
    site.put("a")
    site.put("b")
    scripted.script.always["STOR .portal"] = "552 Quota exceeded."
    job = site.run()
    assert job.state == JobState.FAILED
    assert "Quota exceeded" in job.reason
    assert site.here() == {"new": ["a", "b"]}
    assert site.channel().incident.startswith("space: ")
    assert site.channel().next_try_at is not None
    scripted.script.always.clear()
    site.run()
    assert sorted(site.there()) == ["a", "b"]
    assert site.channel().incident == ""


def test_a_refused_file_does_not_keep_the_others(site: Site, scripted: ScriptedServer) -> None:
    for name in ("a", "b", "c"):
        site.put(name)
    scripted.script.refuse_target = "b"
    job = site.run()
    assert job.state == JobState.SUCCEEDED
    assert [name for name in sorted(site.there()) if not name.startswith(".")] == ["a", "c"]
    assert site.states() == {"a": "delivered", "b": "failed", "c": "delivered"}
    assert site.here()["new"] == ["b"]


def test_a_file_that_is_refused_three_times_is_put_aside(
    site: Site, scripted: ScriptedServer
) -> None:
    site.put("b")
    scripted.script.refuse_target = "b"
    for _ in range(3):
        site.run()
    assert site.states() == {"b": "quarantined"}
    assert site.rows()[0].reason == "permission"
    assert site.here() == {"quarantine": ["b"]}
    assert site.there() == {}


def test_a_wrong_password_fails_the_job_and_touches_nothing(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    url = scripted.url().replace("test:", "test:canary")
    site = Site(runtime, url=url, folder=scripted.folder)
    site.put("a")
    job = site.run()
    assert job.state == JobState.FAILED
    assert site.channel().incident.startswith("authentication: ")
    assert site.here() == {"new": ["a"]}
    assert "canary" not in f"{job.reason}{job.result}{job.args}"


def test_a_server_that_is_away_fails_the_job(runtime: Runtime, scripted: ScriptedServer) -> None:
    site = Site(runtime, url="ftp://u:p@127.0.0.1:1/", folder=scripted.folder)
    site.put("a")
    assert site.run().state == JobState.FAILED
    assert site.channel().incident.startswith("network: ")


def test_sending_goes_on_where_a_broken_line_ended_it(site: Site, scripted: ScriptedServer) -> None:
    site.put("a", BIG)
    scripted.script.drop_at_byte = 3_000_000
    site.run()
    assert site.there() == {"a": BIG}
    assert any(line.startswith("REST ") for line in scripted.script.commands)


def test_a_file_that_changes_while_it_is_sent_is_not_delivered(
    site: Site, scripted: ScriptedServer
) -> None:
    site.put("a", b"x" * 5_000_000)
    scripted.script.on_store = lambda: (site.spool.root / "new" / "a").write_bytes(b"changed")
    job = site.run()
    assert job.state == JobState.SUCCEEDED
    assert "a" not in site.there()
    assert site.states() == {"a": "quarantined"}


def test_old_files_of_cur_are_removed(runtime: Runtime, scripted: ScriptedServer) -> None:
    site = Site(
        runtime, url=scripted.url(), folder=scripted.folder, options=ChannelOptions(keep_days=1)
    )
    site.put("a")
    site.run()
    assert site.spool.names(Space.CUR) == ["a"]


def test_two_runs_asked_for_at_once_are_one(site: Site) -> None:
    assert site.ask() == site.ask()
