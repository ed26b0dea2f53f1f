"""What the commands of all areas share: refusals in words, whether to wait, telling."""

import json
from collections.abc import Iterable
from typing import Any

import click

from portal.errors import PortalError
from portal.visible import visible

waiting = click.option(
    "--wait", is_flag=True, help="Follow the job until it ends; exit 1 if it fails."
)


class _RefusedError(click.ClickException):
    """Something is refused; said in a sentence."""

    exit_code = 2


class Refusing(click.Group):
    """Commands whose refusals end with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Say what is refused."""
        try:
            return super().invoke(ctx)
        except PortalError as error:
            raise _RefusedError(str(error)) from error


def tell(shell: Any, facts: Any, lines: Iterable[str]) -> None:
    """Print facts for machines, or lines for people, in which nothing commands a terminal."""
    if shell.json:
        click.echo(json.dumps(facts))
    else:
        click.echo("\n".join("\t".join(map(visible, line.split("\t"))) for line in lines))
