"""Sums that a server tells are compared with ours, in both directions."""

import hashlib

import pytest

from portal.delivery.ftp_sums import sum_command
from portal.delivery.states import Direction
from portal.jobs.models import JobState
from portal.runtime import Runtime
from tests.delivery.scripted_ftp import ScriptedServer
from tests.delivery.site import Site

SHA = hashlib.sha256(b"content").hexdigest()


def telling(
    server: ScriptedServer, feature: str, command: str, algorithm: str, *, wrong: bool = False
) -> None:
    def told(content: bytes) -> str:
        digest = hashlib.new(algorithm, b"other" if wrong else content).hexdigest().upper()
        return f"213 {algorithm} 0-{len(content)} {digest} name"

    server.script.features.append(feature)
    server.script.sums[command] = told


@pytest.mark.parametrize(
    ("feature", "command", "algorithm"),
    [
        ("HASH SHA-256*;MD5", "HASH", "sha256"),
        ("HASH MD5*", "HASH", "md5"),
        ("XSHA256", "XSHA256", "sha256"),
        ("XSHA1", "XSHA1", "sha1"),
        ("XMD5", "XMD5", "md5"),
    ],
)
@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_sent_is_compared_by_the_sum_that_the_server_tells(
    runtime: Runtime,
    scripted: ScriptedServer,
    feature: str,
    command: str,
    algorithm: str,
    wrong: bool,
) -> None:
    telling(scripted, feature, command, algorithm, wrong=wrong)
    site = Site(runtime, url=scripted.url(), folder=scripted.folder)
    site.put("a")
    site.run()
    assert site.states() == {"a": "quarantined" if wrong else "delivered"}
    assert command in {line.split()[0] for line in scripted.script.commands}
    assert site.there() == ({} if wrong else {"a": b"content"})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_fetched_is_compared_too_and_stays_there(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    telling(scripted, "XMD5", "XMD5", "md5", wrong=True)
    site = Site(runtime, url=scripted.url(), folder=scripted.folder, direction=Direction.FETCH)
    (site.folder / "a").write_bytes(b"content")
    site.run()
    assert site.here() == {}
    assert site.there() == {"a": b"content"}
    assert site.rows()[0].reason == "integrity"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_server_that_does_not_keep_its_word_does_no_harm(
    runtime: Runtime, scripted: ScriptedServer
) -> None:
    scripted.script.features.append("XSHA256")
    scripted.script.always["XSHA256"] = "502 Not today."
    site = Site(runtime, url=scripted.url(), folder=scripted.folder)
    site.put("a")
    assert site.run().state == JobState.SUCCEEDED
    assert site.states() == {"a": "delivered"}


@pytest.mark.parametrize(
    ("features", "command", "before"),
    [
        ({"HASH": "SHA-1;SHA-256;MD5*"}, "HASH", "OPTS HASH SHA-256"),
        ({"HASH": "SHA-256*;MD5", "XMD5": ""}, "HASH", ""),
        ({"HASH": "CRC32", "XMD5": ""}, "XMD5", ""),
    ],
)
def test_the_best_sum_is_chosen(features: dict[str, str], command: str, before: str) -> None:
    chosen = sum_command(features)
    assert chosen is not None
    assert (chosen.command, chosen.before) == (command, before)


def test_without_a_known_sum_none_is_asked_for() -> None:
    assert sum_command({"HASH": "CRC32", "SIZE": ""}) is None


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (f"250 {SHA.upper()}", SHA),
        (f"213 SHA-256 0-7 {SHA} my file", SHA),
        (f"550 {SHA}", None),
        ("250 ok", None),
        (f"250 {SHA}ab", None),
    ],
)
def test_a_sum_is_found_in_a_reply(reply: str, found: str | None) -> None:
    chosen = sum_command({"XSHA256": ""})
    assert chosen is not None
    assert chosen.sum_in(reply) == found
