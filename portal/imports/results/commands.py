"""Commands for imports that are under way: let them rest, and let them go on."""

from typing import Any

import click
from sqlalchemy.orm import Session

from portal.imports import orders
from portal.imports.looking import get_batch_of
from portal.imports.orders import Asked
from portal.imports.shell.commands import end, wish_of
from portal.jobs.shell.commands import tell, waiting
from portal.rows.batch_kinds import Wish


@click.command("pause")
@click.argument("job_or_batch")
@click.pass_obj
def pause_command(shell: Any, /, job_or_batch: str) -> None:
    """Let an import of good rows rest at its next safe point; `go-on` does the others."""
    wish = wish_of(shell)
    with shell.runtime.reads() as session:
        batch = get_batch_of(session, wish=wish, typed=job_or_batch)
    with shell.runtime.sessions.begin() as session:
        orders.ask_to_pause(session, batch=batch, wish=wish)
    facts = {"batch": batch.id, "pausing": True}
    tell(shell, facts, ["The import pauses at its next safe point."])


@click.command("go-on")
@click.argument("job_or_batch")
@waiting
@click.pass_context
def go_on_command(context: click.Context, /, job_or_batch: str, wait: bool) -> None:
    """Do the rows that are left of an import that was paused or cut short."""

    def ask(session: Session, wish: Wish) -> Asked:
        batch = get_batch_of(session, wish=wish, typed=job_or_batch)
        return orders.ask_to_go_on(session, batch=batch, wish=wish)

    end(context, ask, wait)
