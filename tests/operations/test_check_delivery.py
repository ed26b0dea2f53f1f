"""`portal check` finds passwords that cannot be read, and spools that cannot be worked in."""

import shutil
from pathlib import Path

import pytest

from portal.checks.delivery import check_delivery
from portal.runtime import Runtime
from tests.delivery.site import Site

URL = "ftp://test:secret@127.0.0.1:9/"
KEY = "credential_key"


@pytest.fixture
def site(runtime: Runtime, tmp_path: Path) -> Site:
    return Site(runtime, url=URL, folder=tmp_path)


def said(runtime: Runtime) -> list[str]:
    findings = list(check_delivery(runtime))
    assert all(finding.remedy for finding in findings)
    return [finding.sentence for finding in findings]


def test_a_channel_that_can_work_is_fine(site: Site) -> None:
    assert said(site.runtime) == []


def test_a_key_that_others_may_read(site: Site) -> None:
    (site.runtime.settings.data / KEY).chmod(0o640)
    assert "Others than Portal may read" in said(site.runtime)[0]


def test_a_lost_key_is_told_and_none_is_made(site: Site) -> None:
    path = site.runtime.settings.data / KEY
    path.unlink()
    assert said(site.runtime) == ["The passwords of these endpoints cannot be read: partner."]
    assert not path.exists()


def test_a_key_that_does_not_fit(site: Site) -> None:
    (site.runtime.settings.data / KEY).write_bytes(b"A" * 43 + b"=")
    assert said(site.runtime) == ["The passwords of these endpoints cannot be read: partner."]


def test_a_spool_that_is_gone(site: Site) -> None:
    shutil.rmtree(site.spool.root / "cur")
    assert "cur, the spool of the channel articles" in said(site.runtime)[0]


def test_a_certificate_that_nobody_verifies(runtime: Runtime, tmp_path: Path) -> None:
    Site(runtime, url="ftpes://test@127.0.0.1:9/", folder=tmp_path, tls_verify=False)
    assert said(runtime) == ["The certificate of the endpoint partner is not verified."]
