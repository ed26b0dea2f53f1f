"""The settings by themselves: what they switch on that is unsafe, and what contradicts itself."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from portal.checks.finding import Finding, advice, error
from portal.settings import Settings

TOKEN_LENGTH = 16


def check_configuration(settings: Settings) -> Iterator[Finding]:
    """Findings that the settings alone give away."""
    if settings.debug:
        yield error(
            "PORTAL_DEBUG is on: error pages may show people what only you should see.",
            "Remove PORTAL_DEBUG, except on a machine of your own.",
        )
    yield from _addresses(settings)
    yield from _mail(settings)
    yield from _webhooks(settings)
    yield from _folders(settings)
    if settings.metrics_token and len(settings.metrics_token) < TOKEN_LENGTH:
        yield advice(
            f"PORTAL_METRICS_TOKEN has fewer than {TOKEN_LENGTH} characters and can be guessed.",
            "Use a long random one, for example from `openssl rand -hex 24`.",
        )


def _folders(settings: Settings) -> Iterator[Finding]:
    for folder in settings.imports_folders:
        if not Path(folder).is_dir():
            yield error(
                f"PORTAL_IMPORTS_FOLDERS names {folder}, which is no folder.",
                "Make it, or correct PORTAL_IMPORTS_FOLDERS.",
            )
        elif settings.data.is_relative_to(folder) or Path(folder).is_relative_to(settings.data):
            yield error(
                f"PORTAL_IMPORTS_FOLDERS names {folder}, and what Portal keeps lies there.",
                "Choose a folder apart from PORTAL_DATA: importers can read every file below it.",
            )


def is_loopback(host: str | None) -> bool:
    """Say whether `host` is this machine itself."""
    if host in (None, "", "localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _addresses(settings: Settings) -> Iterator[Finding]:
    if not settings.public_url:
        if settings.trusted_proxies:
            yield advice(
                "PORTAL_TRUSTED_PROXIES is set, but PORTAL_PUBLIC_URL is not.",
                "Set PORTAL_PUBLIC_URL to the https address that browsers use; cookies then "
                "travel encrypted only.",
            )
        return
    url = _split(settings.public_url)
    if url is None or url.scheme not in ("http", "https") or not url.hostname:
        yield error(
            f"PORTAL_PUBLIC_URL is no web address: {settings.public_url!r}.",
            "Write it like https://portal.example.org.",
        )
    elif url.scheme == "http" and not is_loopback(url.hostname):
        yield error(
            "PORTAL_PUBLIC_URL begins with http://: passwords and cookies cross the network "
            "readable by anyone.",
            "Put a proxy with TLS in front (docs/operations.md) and use https://.",
        )
    elif url.scheme == "https" and not settings.trusted_proxies:
        yield advice(
            "PORTAL_PUBLIC_URL is https, but PORTAL_TRUSTED_PROXIES is 0: everybody seems to come "
            "from the proxy's address, in the audit log and when sign-ins are throttled.",
            "Set PORTAL_TRUSTED_PROXIES to the number of proxies in front, usually 1.",
        )


def _mail(settings: Settings) -> Iterator[Finding]:
    if not settings.smtp_url:
        return
    url = _split(settings.smtp_url)
    if url is None or url.scheme not in ("smtp", "smtps") or not url.hostname:
        yield error(
            "PORTAL_SMTP_URL is no address of a mail server; no e-mail can be sent.",
            "Write it like smtp://user:password@mail.example.org:587?starttls=1, or smtps://….",
        )
        return
    if url.password and url.scheme == "smtp" and "starttls=1" not in url.query:
        yield error(
            "PORTAL_SMTP_URL holds a password and sends it unencrypted.",
            "Add ?starttls=1 to it, or use smtps://.",
        )
    if settings.mail_from.endswith("@localhost"):
        yield advice(
            f"E-mail is sent from {settings.mail_from}, which other mail servers refuse.",
            "Set PORTAL_MAIL_FROM to an address of your own.",
        )


def _webhooks(settings: Settings) -> Iterator[Finding]:
    if settings.webhook_urls and not settings.webhook_secret:
        yield error(
            "PORTAL_WEBHOOK_URLS is set without PORTAL_WEBHOOK_SECRET: receivers cannot tell our "
            "messages from forged ones.",
            "Set PORTAL_WEBHOOK_SECRET to a long random text that the receiver knows, too.",
        )
    for address in settings.webhook_urls:
        url = _split(address)
        if url is None or url.scheme not in ("http", "https") or not url.hostname:
            yield error(
                f"PORTAL_WEBHOOK_URLS holds {address!r}, which is no web address.",
                "Write it like https://example.org/hook; several are separated by commas.",
            )
        elif url.scheme == "http" and not is_loopback(url.hostname):
            yield advice(
                f"The webhook to {url.hostname} is not encrypted.",
                "Use its https:// address.",
            )


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port  # a port that is no number is found only here
    except ValueError:
        return None
    return url
