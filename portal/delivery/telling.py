"""What machines and people are told of endpoints, channels and files, in the shell. Pure."""

from datetime import datetime
from typing import Any

from portal.delivery.endpoints import address_of
from portal.delivery.host_keys import fingerprint
from portal.delivery.models import Channel, DeliveredFile, Endpoint


def endpoint_facts(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint; never its password."""
    address = address_of(endpoint)
    return {
        "name": endpoint.name,
        "url": address.url,
        "encrypted": address.transport.encrypted,
        "password": bool(endpoint.secret),
        "tls_verify": endpoint.tls_verify,
        "connections": endpoint.connections,
        "limit": endpoint.rate_limit,
        "active": endpoint.active,
        "host_key": fingerprint(endpoint.host_key) if endpoint.host_key else "",
        "shown_key": fingerprint(endpoint.shown_key) if endpoint.shown_key else "",
        "tested": _time(endpoint.tested_at),
        "passed": endpoint.profile.get("passed"),
    }


def endpoint_line(endpoint: Endpoint) -> str:
    """An endpoint in a line."""
    address = address_of(endpoint)
    facts = [endpoint.name, address.url, address.transport.label]
    if endpoint.shown_key != endpoint.host_key:
        facts.append(f"shows the key {fingerprint(endpoint.shown_key)}, which is not approved")
    return "\t".join(facts)


def channel_facts(channel: Channel) -> dict[str, Any]:
    """A channel and how it stands."""
    return {
        "name": channel.name,
        "endpoint": channel.endpoint.name,
        "direction": channel.direction,
        "spool": channel.spool,
        "paused": channel.paused,
        "ordered": channel.ordered,
        "intake": channel.intake,
        "incident": channel.incident,
        "locked": channel.blocked or None,
        "next_try": _time(channel.next_try_at),
    }


def channel_line(channel: Channel) -> str:
    """A channel in a line."""
    return "\t".join([channel.name, channel.direction, channel.endpoint.name, state_of(channel)])


def state_of(channel: Channel) -> str:
    """How a channel stands, in a few words."""
    if channel.paused:
        return "paused"
    if channel.blocked:
        stale = ", which is stale" if channel.blocked.get("stale") else ""
        return f"kept out by the lock of {channel.blocked['owner']}{stale}"
    return f"fails: {channel.incident}" if channel.incident else "works"


def file_facts(row: DeliveredFile, channel: Channel) -> dict[str, Any]:
    """A row of the ledger."""
    return {
        "id": row.id,
        "channel": channel.name,
        "name": row.name,
        "state": row.state,
        "size": row.size,
        "sha256": row.sha256,
        "tries": row.tries,
        "job": row.job_id,
        "kept_as": row.kept_as,
        "reason": row.reason,
        "message": row.message,
        "started": _time(row.started_at),
        "ended": _time(row.ended_at),
    }


def file_line(row: DeliveredFile, channel: Channel) -> str:
    """A row of the ledger in a line."""
    when = row.ended_at or row.started_at
    facts = [str(row.id), f"{when:%Y-%m-%d %H:%M:%S}", channel.name, row.name, row.state]
    return "\t".join([*facts, f"{row.size} bytes", row.message])


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
