"""`portal delivery`: endpoints and channels, runs, what became of files.

What is refused before there is a job ends with 2, a job that failed with 1.
"""

from collections.abc import Iterable
from typing import Any

import click

from portal.delivery import orders, quarantine, telling
from portal.delivery.history import LISTED, Sought, search_files
from portal.delivery.models import Channel, DeliveredFile
from portal.delivery.shell.commands import end
from portal.delivery.shell.handing.commands import hand_over_command
from portal.delivery.shell.setup.commands import channel, endpoint
from portal.delivery.states import FileState
from portal.jobs.shell.commands import Refusing, tell, waiting

_STATES = click.Choice([str(state) for state in FileState])


@click.group(cls=Refusing)
def delivery() -> None:
    """Send files of spools to servers, and fetch files from there."""


delivery.add_command(endpoint)
delivery.add_command(channel)
delivery.add_command(hand_over_command)


@delivery.command("test")
@click.argument("name")
@waiting
@click.pass_context
def test_command(context: click.Context, name: str, wait: bool) -> None:
    """Test the endpoint NAME: connect, sign in, write, rename, overwrite, read back, delete."""
    end(context, orders.try_endpoint, name, wait)


@delivery.command("run")
@click.argument("channel")
@waiting
@click.pass_context
def run_command(context: click.Context, channel: str, wait: bool) -> None:
    """Send or fetch the files of CHANNEL now."""
    end(context, orders.run_now, channel, wait)


@delivery.command("break-lock")
@click.argument("channel")
@waiting
@click.pass_context
def break_lock_command(context: click.Context, channel: str, wait: bool) -> None:
    """Remove the lock that the last run of CHANNEL met, if it is the same still."""
    end(context, orders.break_lock, channel, wait)


@delivery.command("history")
@click.argument("channel", default="")
@click.option("--text", default="", help="Only names that contain this.")
@click.option("--state", type=_STATES, default=None, help="Only files in this state.")
@click.option("--sha256", default="", help="Only contents whose sum begins so.")
@click.option("--limit", type=click.IntRange(1), default=LISTED, show_default=True)
@click.pass_obj
def history_command(
    shell: Any, channel: str, text: str, state: str | None, sha256: str, limit: int
) -> None:
    """Show what became of files, the newest first."""
    sought = Sought(channel=channel, text=text, state=state or "", sha256=sha256, limit=limit)
    with shell.runtime.reads() as session:
        found = search_files(session, actor=shell.actor, sought=sought)
    _tell_files(shell, found, "There are no such files.")


@delivery.command("quarantine")
@click.argument("channel", default="")
@click.pass_obj
def quarantine_command(shell: Any, channel: str) -> None:
    """Show the files that were put aside, with the reason of each."""
    with shell.runtime.reads() as session:
        found = quarantine.list_aside(session, actor=shell.actor, channel=channel)
    _tell_files(shell, found, "Nothing is put aside.")


@delivery.command("retry")
@click.argument("number", type=int)
@click.option("--delivered", is_flag=True, help="Count it as delivered instead.")
@click.pass_obj
def retry_command(shell: Any, number: int, delivered: bool) -> None:
    """Put the file with this NUMBER back into its spool, to be sent by the next run."""
    decide = quarantine.count_as_delivered if delivered else quarantine.send_again
    with shell.runtime.sessions.begin() as session:
        row = decide(
            session,
            actor=shell.actor,
            file_id=number,
            now=shell.runtime.clock(),
            place=shell.address,
        )
        said = "counts as delivered" if delivered else "will be sent by the next run"
        tell(shell, {"id": row.id, "name": row.name, "state": row.state}, [f"{row.name} {said}."])


def _tell_files(shell: Any, found: Iterable[tuple[DeliveredFile, Channel]], nothing: str) -> None:
    pairs = list(found)
    lines = [telling.file_line(row, owner) for row, owner in pairs] or [nothing]
    tell(shell, [telling.file_facts(row, owner) for row, owner in pairs], lines)
