"""An endpoint and a channel to look around in, as part of the example content.

The channel is paused, and its endpoint's host is one of those that never are anybody's (RFC 2606).
"""

from pathlib import Path

from sqlalchemy import func, select

from portal.accounts.permissions import Actor
from portal.delivery.channels import ChannelOptions, add_channel, pause_channel
from portal.delivery.credentials import open_vault
from portal.delivery.endpoints import add_endpoint
from portal.delivery.models import Channel, Endpoint
from portal.delivery.spool import Space, Spool
from portal.delivery.states import Direction
from portal.runtime import Runtime

ENDPOINT, CHANNEL = "example-partner", "example-articles"
URL = "sftp://portal@sftp.example.org/incoming"
FILES = {
    "example-0001.xml": "<article><title>An example</title></article>\n",
    "example-0002.xml": "<article><title>Another one</title></article>\n",
}


def load_channel(runtime: Runtime, actor: Actor) -> None:
    """Make the endpoint and its channel with files that wait, unless either is there already."""
    now = runtime.clock()
    with runtime.sessions.begin() as session:
        known = session.scalar(select(func.count()).where(Endpoint.name == ENDPOINT))
        if known or session.scalar(select(func.count()).where(Channel.name == CHANNEL)):
            return
        vault = open_vault(runtime.settings)
        add_endpoint(session, actor=actor, name=ENDPOINT, url=URL, vault=vault, now=now)
        channel = add_channel(
            session,
            actor=actor,
            name=CHANNEL,
            endpoint=ENDPOINT,
            spool=CHANNEL,
            direction=Direction.SEND,
            options=ChannelOptions(include="*.xml", keep_days=30),
            settings=runtime.settings,
            now=now,
        )
        pause_channel(session, actor=actor, name=CHANNEL, paused=True, now=now)
    _fill(Spool(Path(channel.spool)))


def _fill(spool: Spool) -> None:
    lying = spool.names(Space.NEW)
    for name in FILES.keys() - lying:
        with spool.create(name) as stream:
            stream.write(FILES[name].encode())
        spool.move(name, Space.TMP, Space.NEW)
