"""The connection test takes every step of a delivery; a lock is broken only as it was seen."""

import pytest

from portal.delivery.orders import break_lock, try_endpoint
from portal.errors import ConflictError
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.delivery.real_servers import RealServer, running_sshd
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site, site_at


@pytest.fixture
def site(runtime: Runtime, scripted: ScriptedServer) -> Site:
    return Site(runtime, url=scripted.url(), folder=scripted.folder)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_real_server_passes(runtime: Runtime, real: RealServer) -> None:
    site = site_at(runtime, real)
    job = site.run(try_endpoint, "partner")
    assert (job.state, job.reason) == (JobState.SUCCEEDED, "")
    assert site.there() == {}
    profile = site.endpoint().profile
    assert profile["profile"]["renames_over"] is True
    assert [step["fault"] for step in profile["steps"]] == [""] * len(profile["steps"])


def test_the_step_that_fails_is_told_and_nothing_stays_there(
    site: Site, scripted: ScriptedServer
) -> None:
    scripted.script.always["RETR .portal-test"] = "550 Permission denied."
    job = site.run(try_endpoint, "partner")
    assert job.state == JobState.FAILED
    assert job.result["steps"][-1]["name"] == "Read it back"
    assert job.result["class"] == "permission"
    assert site.there() == {}


def test_a_server_that_renames_over_nothing_is_known_afterwards(
    site: Site, scripted: ScriptedServer
) -> None:
    scripted.script.refuse_rename_over = True
    site.run(try_endpoint, "partner")
    assert site.endpoint().profile["profile"]["renames_over"] is False


def test_a_wrong_password_fails_at_its_step(runtime: Runtime, scripted: ScriptedServer) -> None:
    url = scripted.url().replace("test:", "test:canary")
    job = Site(runtime, url=url, folder=scripted.folder).run(try_endpoint, "partner")
    assert job.result["steps"][-1]["name"] == "Sign in"
    assert "canary" not in f"{job.result}{job.reason}"


def test_an_unknown_key_is_kept_to_be_approved(runtime: Runtime) -> None:
    with running_sshd() as real:
        site = Site(runtime, url=real.url, folder=real.folder, secret=real.key)
        job = site.run(try_endpoint, "partner")
    assert job.state == JobState.FAILED
    assert site.endpoint().shown_key == real.host_key
    assert site.endpoint().host_key == ""


def test_a_stale_lock_can_be_broken(site: Site) -> None:
    site.put("a")
    (site.folder / "write").write_text("This is a lock file.")
    site.run()
    job = site.run(break_lock)
    assert job.result["message"] == "The lock was removed."
    site.run()
    assert site.there() == {"a": b"content"}


def test_a_lock_that_lives_is_not_broken(site: Site) -> None:
    site.put("a")
    (site.folder / "write").write_text("This is a lock file.")
    site.run()
    (site.folder / "write").write_text("This is another lock file.")
    job = site.run(break_lock)
    assert job.state == JobState.FAILED
    assert "look again" in job.reason
    assert "write" in site.there()


def test_without_a_lock_nothing_is_broken(site: Site) -> None:
    with pytest.raises(ConflictError, match="met no lock"):
        site.ask(break_lock)
