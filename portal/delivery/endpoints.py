"""Endpoints: servers with their credentials. Passwords come in and are never shown again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.audit.service import record
from portal.delivery.addresses import Address, Transport, parse_address
from portal.delivery.credentials import Vault
from portal.delivery.endpoint_checks import (
    check_numbers,
    checked_certificates,
    checked_secret,
    known_encoding,
)
from portal.delivery.host_keys import fingerprint
from portal.delivery.models import Channel, Endpoint
from portal.delivery.remote import Server
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.files import safe_name
from portal.settings import Settings

NAME_LENGTH = 64
CONNECT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What can be said of an endpoint besides its address.

    `connections`: how many at once, at most. `rate_limit`: bytes a second, None for no limit.
    `active`: the server makes the connections for data; for FTP and FTPS behind old firewalls.
    """

    encoding: str = "utf-8"
    tls_verify: bool = True
    tls_ca: str = ""
    connections: int = 1
    rate_limit: int | None = None
    active: bool = False


def check_operator(actor: Actor) -> None:
    """Raise ForbiddenError unless `actor` may work with endpoints and channels."""
    if not actor.may(Permission.DELIVERY_OPERATE):
        raise ForbiddenError("Deliveries are the business of operators.")


def add_endpoint(
    session: Session,
    *,
    actor: Actor,
    name: str,
    url: str,
    secret: str = "",
    options: Options = Options(),
    vault: Vault,
    now: datetime,
    place: str = "",
) -> Endpoint:
    """Record a server. `secret` is a password or a private key; else the URL may carry one.

    Raises InvalidError, ConflictError where the name is taken, ForbiddenError.
    """
    check_operator(actor)
    address = parse_address(url)
    endpoint = Endpoint(
        name=_free_name(session, name),
        created_at=now,
        created_by=actor.name,
        secret=vault.lock(checked_secret(secret or address.password, address.transport)),
        profile={},
    )
    _say(endpoint, address, options)
    session.add(endpoint)
    session.flush()
    _record(session, "delivery.endpoint.add", actor, endpoint, now=now, place=place)
    return endpoint


def change_endpoint(
    session: Session,
    *,
    actor: Actor,
    name: str,
    url: str,
    secret: str = "",
    options: Options,
    vault: Vault,
    now: datetime,
    place: str = "",
) -> Endpoint:
    """Let an endpoint lead elsewhere. Its password stays only where the server stays the same.

    Otherwise who may change an address could have the password sent to a server of his own.
    """
    endpoint = get_endpoint(session, actor=actor, name=name)
    address = parse_address(url)
    given = checked_secret(secret or address.password, address.transport)
    if given:
        endpoint.secret = vault.lock(given)
    elif endpoint.secret and _elsewhere(endpoint, address, options):
        raise InvalidError("Another server or a weaker protection needs the password anew.")
    if _other_keys(endpoint, address):
        endpoint.host_key, endpoint.shown_key = "", ""
    _say(endpoint, address, options)
    endpoint.profile, endpoint.tested_at = {}, None
    session.flush()
    _record(session, "delivery.endpoint.change", actor, endpoint, now=now, place=place)
    return endpoint


def remove_endpoint(
    session: Session, *, actor: Actor, name: str, now: datetime, place: str = ""
) -> None:
    """Forget a server. Raises ConflictError while channels use it."""
    endpoint = get_endpoint(session, actor=actor, name=name)
    users = session.scalars(select(Channel.name).where(Channel.endpoint_id == endpoint.id)).all()
    if users:
        raise ConflictError(f"It is used by {', '.join(users)}; remove these channels first.")
    _record(session, "delivery.endpoint.remove", actor, endpoint, now=now, place=place)
    session.delete(endpoint)
    session.flush()


def get_endpoint(session: Session, *, actor: Actor, name: str) -> Endpoint:
    """The endpoint with this name. Raises ForbiddenError, NotFoundError."""
    check_operator(actor)
    endpoint = session.scalar(select(Endpoint).where(Endpoint.name == name))
    if endpoint is None:
        raise NotFoundError(f"There is no endpoint {name!r}.")
    return endpoint


def endpoint_with(session: Session, *, actor: Actor, endpoint_id: int) -> Endpoint:
    """The endpoint with this id. Raises ForbiddenError, NotFoundError."""
    check_operator(actor)
    endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is None:
        raise NotFoundError("There is no such endpoint.")
    return endpoint


def list_endpoints(session: Session, *, actor: Actor) -> Sequence[Endpoint]:
    """All endpoints, by name. Raises ForbiddenError."""
    check_operator(actor)
    return session.scalars(select(Endpoint).order_by(Endpoint.name)).all()


def approve_key(
    session: Session, *, actor: Actor, name: str, shown: str, now: datetime, place: str = ""
) -> Endpoint:
    """Trust the key that the SFTP server showed last, or only this certificate of an FTPS server.

    `shown` is the one that the operator saw; ConflictError where it is another by now.
    """
    endpoint = get_endpoint(session, actor=actor, name=name)
    can = endpoint.profile.get("profile", {})
    seen = {endpoint.shown_key, str(can.get("certificate", ""))} - {""}
    approved = next((key for key in seen if shown in (key, fingerprint(key))), None)
    if approved is None:
        raise ConflictError("The server shows another key by now; compare again.")
    endpoint.host_key = endpoint.shown_key = approved
    session.flush()
    _record(session, "delivery.endpoint.approve", actor, endpoint, now=now, place=place)
    return endpoint


def forget_key(
    session: Session, *, actor: Actor, name: str, now: datetime, place: str = ""
) -> Endpoint:
    """Trust no certain key or certificate any more; certificates are verified as usual again."""
    endpoint = get_endpoint(session, actor=actor, name=name)
    endpoint.host_key = endpoint.shown_key = ""
    session.flush()
    _record(session, "delivery.endpoint.forget_key", actor, endpoint, now=now, place=place)
    return endpoint


def renew_secrets(
    session: Session, *, actor: Actor, vault: Vault, now: datetime, place: str = ""
) -> int:
    """Encrypt all passwords with the first of PORTAL_CREDENTIAL_KEYS; returns how many."""
    check_operator(actor)
    found = [endpoint for endpoint in list_endpoints(session, actor=actor) if endpoint.secret]
    for endpoint in found:
        endpoint.secret = vault.renew(endpoint.secret)
        _record(session, "delivery.endpoint.renew", actor, endpoint, now=now, place=place)
    session.flush()
    return len(found)


def address_of(endpoint: Endpoint, *, password: str = "") -> Address:
    """Where an endpoint is; without its password, unless one is given."""
    return Address(
        transport=Transport(endpoint.transport),
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user_name,
        password=password,
        folder=endpoint.folder,
    )


def server_of(endpoint: Endpoint, *, vault: Vault, settings: Settings) -> Server:
    """What is needed to connect. Raises DeliveryError where the password cannot be decrypted."""
    return Server(
        address=address_of(endpoint, password=vault.open(endpoint.secret)),
        encoding=endpoint.encoding,
        tls_verify=endpoint.tls_verify,
        tls_ca=endpoint.tls_ca,
        host_key=endpoint.host_key,
        allowed=settings.delivery_hosts,
        active=endpoint.active,
        timeout=CONNECT_SECONDS,
    )


def check_name(name: str) -> str:
    """Return what an endpoint or a channel may be called, else raise InvalidError."""
    plain = safe_name(name.strip())
    if len(plain) > NAME_LENGTH:
        raise InvalidError(f"The name is longer than {NAME_LENGTH} characters; shorten it.")
    return plain


def _say(endpoint: Endpoint, address: Address, options: Options) -> None:
    endpoint.transport, endpoint.host, endpoint.port = address.transport, address.host, address.port
    endpoint.user_name, endpoint.folder = address.user, address.folder
    endpoint.encoding = known_encoding(options.encoding)
    endpoint.tls_verify, endpoint.tls_ca = options.tls_verify, checked_certificates(options.tls_ca)
    check_numbers(connections=options.connections, rate_limit=options.rate_limit)
    endpoint.connections, endpoint.rate_limit = options.connections, options.rate_limit
    endpoint.active = options.active


def _elsewhere(endpoint: Endpoint, address: Address, options: Options) -> bool:
    """Whether the password would go to another server, another name, or less well protected."""
    before = replace(address_of(endpoint), folder="/")
    weaker = endpoint.tls_verify and not options.tls_verify
    trusts_others = endpoint.tls_ca != options.tls_ca.strip() and bool(options.tls_ca.strip())
    return before != replace(address, folder="/") or weaker or trusts_others


def _other_keys(endpoint: Endpoint, address: Address) -> bool:
    """Whether the key that was approved is no longer that of this server."""
    before = (endpoint.host, endpoint.port, endpoint.transport == Transport.SFTP)
    return before != (address.host, address.port, address.transport is Transport.SFTP)


def _free_name(session: Session, name: str) -> str:
    plain = check_name(name)
    taken = session.scalar(select(func.count()).where(Endpoint.name == plain))
    if taken:
        raise ConflictError(f"There is an endpoint {plain!r} already.")
    return plain


def _record(
    session: Session, action: str, actor: Actor, endpoint: Endpoint, *, now: datetime, place: str
) -> None:
    detail: dict[str, Any] = {"url": address_of(endpoint).url}
    if action.endswith("approve"):
        detail["key"] = fingerprint(endpoint.host_key)
    record(
        session,
        actor=actor,
        action=action,
        object_kind="endpoint",
        object_id=endpoint.name,
        now=now,
        address=place,
        detail=detail,
    )
