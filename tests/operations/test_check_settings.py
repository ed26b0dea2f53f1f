"""`portal check` finds what the settings switch on that is unsafe, and an unsafe Redis."""

from pathlib import Path

import pytest

from portal.checks.configuration import check_configuration
from portal.checks.finding import Finding, Level
from portal.checks.redis import check_redis, judge_redis
from portal.settings import Settings
from tests.operations.redis_on_tcp import free_port, redis_on_tcp


def only(findings: list[Finding], words: str) -> Level:
    having = [finding for finding in findings if words in finding.sentence]
    assert len(having) == 1, findings
    return having[0].level


def configured(**values: object) -> list[Finding]:
    return list(check_configuration(Settings.model_validate(values)))


def of_redis(url: str) -> list[Finding]:
    return list(check_redis(Settings.model_validate({"redis_url": url})))


def test_the_defaults_give_nothing_to_say() -> None:
    assert configured() == []


def test_a_folder_of_imports_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    findings = configured(imports_folders=(str(tmp_path / "gone"),))
    assert only(findings, "which is no folder") is Level.ERROR


def test_a_folder_of_imports_around_what_is_kept_is_an_error(tmp_path: Path) -> None:
    findings = configured(data=tmp_path / "data", imports_folders=(str(tmp_path),))
    assert only(findings, "what Portal keeps") is Level.ERROR


def test_debug_is_an_error() -> None:
    assert only(configured(debug=True), "PORTAL_DEBUG") is Level.ERROR


def test_a_public_address_without_tls_is_an_error() -> None:
    findings = configured(public_url="http://portal.example.org", trusted_proxies=1)
    assert only(findings, "http://") is Level.ERROR


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_an_address_of_this_machine_needs_no_tls(host: str) -> None:
    assert configured(public_url=f"http://{host}:8000") == []


@pytest.mark.parametrize(
    "url", ["portal.example.org", "ftp://example.org", "https://", "http://[x"]
)
def test_a_public_address_that_is_none_is_an_error(url: str) -> None:
    assert only(configured(public_url=url, trusted_proxies=1), "no web address") is Level.ERROR


def test_tls_without_a_trusted_proxy_is_advice() -> None:
    findings = configured(public_url="https://portal.example.org")
    assert only(findings, "PORTAL_TRUSTED_PROXIES") is Level.ADVICE


def test_a_trusted_proxy_without_a_public_address_is_advice() -> None:
    assert only(configured(trusted_proxies=1), "PORTAL_PUBLIC_URL is not") is Level.ADVICE


def test_a_proxy_with_tls_is_fine() -> None:
    assert configured(public_url="https://portal.example.org", trusted_proxies=1) == []


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail", "smtp://", "smtp://mail:port"])
def test_a_wrong_mail_address_is_an_error(url: str) -> None:
    findings = configured(smtp_url=url, mail_from="portal@example.org")
    assert only(findings, "PORTAL_SMTP_URL is no address") is Level.ERROR


def test_a_mail_password_in_the_clear_is_an_error() -> None:
    findings = configured(smtp_url="smtp://me:secret@mail", mail_from="portal@example.org")
    assert only(findings, "unencrypted") is Level.ERROR
    assert "secret" not in str(findings)


@pytest.mark.parametrize("url", ["smtp://me:word@mail:587?starttls=1", "smtps://me:word@mail"])
def test_encrypted_mail_is_fine(url: str) -> None:
    assert configured(smtp_url=url, mail_from="portal@example.org") == []


def test_mail_from_localhost_is_advice() -> None:
    assert only(configured(smtp_url="smtp://mail"), "portal@localhost") is Level.ADVICE


def test_webhooks_without_a_secret_are_an_error() -> None:
    findings = configured(webhook_urls="https://example.org/hook")
    assert only(findings, "PORTAL_WEBHOOK_SECRET") is Level.ERROR


def test_a_webhook_that_is_no_address_is_an_error() -> None:
    findings = configured(webhook_urls="example.org", webhook_secret="a long secret")
    assert only(findings, "no web address") is Level.ERROR


def test_an_unencrypted_webhook_is_advice() -> None:
    findings = configured(webhook_urls="http://example.org", webhook_secret="a long secret")
    assert only(findings, "not encrypted") is Level.ADVICE


def test_a_short_token_for_metrics_is_advice() -> None:
    assert only(configured(metrics_token="letmein"), "PORTAL_METRICS_TOKEN") is Level.ADVICE


def test_an_outside_redis_that_is_away_is_an_error() -> None:
    assert only(of_redis(f"redis://127.0.0.1:{free_port()}"), "does not answer") is Level.ERROR


def test_the_own_redis_that_is_away_is_not_running(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    findings = list(check_redis(Settings(data=tmp_path_factory.mktemp("data"))))
    assert only(findings, "own Redis") is Level.NOT_RUNNING


def test_a_redis_like_portals_own_is_fine(redis_url: str) -> None:
    assert of_redis(redis_url) == []


def test_a_redis_with_a_wrong_password_is_an_error() -> None:
    with redis_on_tcp("--requirepass", "right") as port:
        findings = of_redis(f"redis://:wrong@127.0.0.1:{port}")
    assert only(findings, "refuses the password") is Level.ERROR
    assert "wrong" not in str(findings)


def test_a_redis_without_a_log_of_its_writes_is_advice() -> None:
    with redis_on_tcp("--appendonly", "no") as port:
        findings = of_redis(f"redis://127.0.0.1:{port}")
    assert only(findings, "append-only file is off") is Level.ADVICE


def test_a_redis_that_throws_entries_away_is_an_error() -> None:
    with redis_on_tcp("--maxmemory-policy", "allkeys-lru") as port:
        findings = of_redis(f"redis://127.0.0.1:{port}")
    assert only(findings, "allkeys-lru") is Level.ERROR


def test_a_redis_open_to_the_network_is_an_error() -> None:
    with redis_on_tcp() as port:
        findings = of_redis(f"redis://0.0.0.0:{port}")
    assert only(findings, "answers anybody") is Level.ERROR


def test_a_redis_open_to_this_machine_is_advice() -> None:
    with redis_on_tcp() as port:
        findings = of_redis(f"redis://localhost:{port}")
    assert only(findings, "answers anybody") is Level.ADVICE


def test_a_redis_with_a_password_is_not_open() -> None:
    with redis_on_tcp("--requirepass", "right", "--appendonly", "yes") as port:
        assert of_redis(f"redis://:right@127.0.0.1:{port}") == []


def test_a_password_that_crosses_the_network_is_advice() -> None:
    with redis_on_tcp("--requirepass", "right", "--appendonly", "yes") as port:
        findings = of_redis(f"redis://:right@0.0.0.0:{port}")
    assert only(findings, "unencrypted") is Level.ADVICE


def test_an_old_redis_is_an_error() -> None:
    told = {"redis_version": "6.0.16", "aof_enabled": 1, "maxmemory_policy": "noeviction"}
    assert only(list(judge_redis(told)), "too old") is Level.ERROR
