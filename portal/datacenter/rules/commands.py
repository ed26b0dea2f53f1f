"""`portal datacenter rules`: what is done by itself with files that arrive."""

import json
from typing import Any

import click

from portal.accounts.permissions import Permission
from portal.datacenter.rules.service import Listed, list_rules
from portal.errors import ForbiddenError


@click.group()
def rules() -> None:
    """Watch rules: what is done by itself with files that arrive."""


@rules.command("list")
@click.pass_obj
def list_command(shell: Any) -> None:
    """Show all rules in the order in which they are asked."""
    if not shell.actor.may(Permission.IMPORTS_RUN):
        raise ForbiddenError("You may not see the rules of the data centre.")
    with shell.runtime.reads() as session:
        found = list_rules(session, actor=shell.actor)
    if shell.json:
        click.echo(json.dumps([_facts(listed) for listed in found]))
    else:
        click.echo("\n".join(map(_line, found)) or "There are no rules.")


def _facts(listed: Listed) -> dict[str, Any]:
    rule = listed.rule
    return {
        "id": rule.id,
        "place": rule.place,
        "name": rule.name,
        "state": rule.state,
        "pattern": rule.pattern,
        "processor": rule.processor,
        "mode": rule.mode,
        "mapping": rule.profile,
        "owner": listed.owner,
        "expected": listed.expected,
        "stopped": rule.stopped_reason,
        "alarm": rule.alarm,
        "last_file": rule.last_file,
        "last_job": rule.last_job_id,
    }


def _line(listed: Listed) -> str:
    rule = listed.rule
    expected = f", expected {listed.expected}" if listed.expected else ""
    wrong = rule.stopped_reason or rule.alarm
    line = (
        f"{rule.place:4}  {rule.name} ({rule.state}): {rule.pattern} → "
        f"{rule.processor} {rule.mode}{expected}, as {listed.owner}"
    )
    return f"{line}\n      {wrong}" if wrong else line
