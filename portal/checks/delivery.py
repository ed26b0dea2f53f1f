"""Delivery: can passwords be read, and spools be worked in?"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.checks.finding import Finding, advice, error
from portal.delivery.addresses import Transport
from portal.delivery.credentials import open_vault
from portal.delivery.faults import DeliveryError
from portal.delivery.models import Channel, Endpoint
from portal.delivery.spool import STANDARD
from portal.runtime import Runtime
from portal.settings import Settings

KEY_FILE = "credential_key"
_OTHERS = 0o077


def check_delivery(runtime: Runtime) -> Iterator[Finding]:
    """Findings about endpoints, their passwords, and the folders of channels."""
    settings = runtime.settings
    yield from _key(settings)
    with runtime.reads() as session:
        yield from _passwords(session, settings)
        yield from _spools(session)


def _key(settings: Settings) -> Iterator[Finding]:
    path = settings.data / KEY_FILE
    if settings.credential_keys or not path.exists():
        return
    if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        yield error(
            f"Others than Portal may read {path}, which opens the passwords of endpoints.",
            f"chmod 600 {path}",
        )


def _passwords(session: Session, settings: Settings) -> Iterator[Finding]:
    endpoints = session.scalars(select(Endpoint).order_by(Endpoint.name)).all()
    yield from _unverified(endpoints)
    locked = [endpoint for endpoint in endpoints if endpoint.secret]
    path = settings.data / KEY_FILE
    if not locked:
        return
    if not settings.credential_keys and not path.exists():
        yield _unreadable([endpoint.name for endpoint in locked])
        return
    vault = open_vault(settings)
    closed = []
    for endpoint in locked:
        try:
            vault.open(endpoint.secret)
        except DeliveryError:
            closed.append(endpoint.name)
    if closed:
        yield _unreadable(closed)


def _unverified(endpoints: Sequence[Endpoint]) -> Iterator[Finding]:
    """Encrypted, but for whoever stands between."""
    for endpoint in endpoints:
        ftps = endpoint.transport in (Transport.FTPES, Transport.FTPS)
        if ftps and not endpoint.tls_verify and not endpoint.host_key:
            yield advice(
                f"The certificate of the endpoint {endpoint.name} is not verified.",
                "Approve the certificate that its connection test shows.",
            )


def _unreadable(names: list[str]) -> Finding:
    return error(
        f"The passwords of these endpoints cannot be read: {', '.join(names)}.",
        f"Bring back the file {KEY_FILE}, or name the key in PORTAL_CREDENTIAL_KEYS; where it is "
        "lost, enter the passwords anew.",
    )


def _spools(session: Session) -> Iterator[Finding]:
    for name, spool in session.execute(select(Channel.name, Channel.spool).order_by(Channel.name)):
        for folder in (Path(spool), *(Path(spool) / space for space in STANDARD)):
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                yield error(
                    f"Portal may not work in {folder}, the spool of the channel {name}.",
                    "Bring the folder back, and give it to the user whom Portal runs as.",
                )
                break
