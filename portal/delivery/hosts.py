"""Which hosts a delivery may go to, decided on the address that is really connected to.

Link-local and metadata addresses are never connected to: who reaches them asks a cloud for its
keys. All others are fine, unless PORTAL_DELIVERY_HOSTS names the only ones.
"""

import socket
from collections.abc import Sequence
from ipaddress import ip_network
from itertools import islice

from portal.addresses import Ip, gives_keys, ip_of, is_translated
from portal.delivery.faults import DeliveryError, Reason

_MOST_ADDRESSES = 8


def why_refused(ip: Ip, *, host: str, allowed: Sequence[str]) -> str | None:
    """Why `ip`, to which `host` leads, may not be connected to; None where it may."""
    if gives_keys(ip):
        return f"{host} is a link-local or metadata address; deliveries never go there."
    if ip.is_multicast or ip.is_unspecified or is_translated(ip):
        return f"{host} is not the address of one server."
    if allowed and not any(_names(rule, host=host, ip=ip) for rule in allowed):
        return f"{host} is not among the hosts that PORTAL_DELIVERY_HOSTS allows."
    return None


def dial(host: str, port: int, *, allowed: Sequence[str], timeout: float) -> socket.socket:
    """Connect to the first address of `host` that may be connected to and answers.

    Each address is judged before a packet goes there. Raises DeliveryError.
    """
    fault: OSError | None = None
    refused: str | None = None
    for family, kind, protocol, where in islice(_resolve(host, port), _MOST_ADDRESSES):
        said = why_refused(ip_of(where[0]), host=host, allowed=allowed)
        refused = refused or said
        if said is not None:
            continue
        try:
            return _connect(family, kind, protocol, where, timeout)
        except OSError as error:
            fault = error
    if fault is None and refused is not None:
        raise DeliveryError(Reason.PERMISSION, refused)
    raise DeliveryError(
        Reason.NETWORK, f"{host} port {port} cannot be reached: {_plainly(fault)}."
    ) from fault


def peer(connection: socket.socket) -> str:
    """The address at the other end, to which further connections of the same server go."""
    return str(connection.getpeername()[0])


def _connect(
    family: int, kind: int, protocol: int, where: tuple[str, int], timeout: float
) -> socket.socket:
    connection = socket.socket(family, kind, protocol)
    try:
        connection.settimeout(timeout)
        connection.connect(where)
    except BaseException:
        connection.close()
        raise
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _resolve(host: str, port: int) -> list[tuple[int, int, int, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(
            Reason.NETWORK, f"No server is known by the name {host!r}; check the spelling."
        ) from error
    return [(family, kind, protocol, where) for family, kind, protocol, _, where in found]  # type: ignore[misc]


def _names(rule: str, *, host: str, ip: Ip) -> bool:
    try:
        return ip in ip_network(rule, strict=False)
    except ValueError:
        return rule.lower().rstrip(".") == host.lower().rstrip(".")


def _plainly(error: OSError | None) -> str:
    if error is None:
        return "it has no address"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return error.strerror or str(error)
