"""`portal delivery hand-over`: a finished file of another area goes to a channel."""

from functools import partial
from typing import Any

import click

from portal.delivery.channels import get_channel
from portal.delivery.handing import Parting, hand_over
from portal.delivery.orders import Asking
from portal.delivery.shell.commands import end
from portal.jobs.service import Submitted
from portal.jobs.shell.commands import waiting


@click.command("hand-over")
@click.argument("channel")
@click.argument("file")
@click.option("--at-once", is_flag=True, help="Let the channel run as soon as it is there.")
@waiting
@click.pass_context
def hand_over_command(
    context: click.Context, channel: str, file: str, at_once: bool, wait: bool
) -> None:
    """Copy FILE into the spool of CHANNEL, under its name.

    FILE is `artifact/ID` for what a job made, or `finished/NAME` for a finished file of the data
    centre.
    """
    source, _, name = file.partition("/")
    parting = Parting(source=source, file=name, at_once=at_once)
    end(context, partial(_order, context.obj, parting), channel, wait)


def _order(shell: Any, parting: Parting, session: Any, asking: Asking, *, name: str) -> Submitted:
    channel = get_channel(session, actor=asking.actor, name=name)
    return hand_over(
        session,
        asking,
        handouts=shell.handouts,
        runtime=shell.runtime,
        channel_id=channel.id,
        parting=parting,
    )
