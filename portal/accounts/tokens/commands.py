"""`portal users token`: API tokens from the shell."""

import json
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from portal.accounts import service as users
from portal.accounts.commands import Shell
from portal.accounts.models import ApiToken, User
from portal.accounts.permissions import Permission
from portal.accounts.tokens import service

_SCOPE = click.Choice([str(scope) for scope in Permission if scope is not Permission.SIGN_IN])


@click.group()
def token() -> None:
    """Secrets by which programs act for a user."""


@token.command()
@click.argument("user_name", metavar="USER")
@click.option("--name", required=True, help="Which program it is for.")
@click.option("--scope", "scopes", type=_SCOPE, multiple=True, help="What it may besides.")
@click.option("--days", type=int, help="For how long it is good; without it, until it is revoked.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.pass_obj
def add(
    shell: Shell,
    /,
    user_name: str,
    name: str,
    scopes: tuple[str, ...],
    days: int | None,
    as_json: bool,
) -> None:
    """Make a token of USER, and print its secret."""
    now = shell.runtime.clock()
    with shell.runtime.sessions.begin() as session:
        made, secret = service.create_token(
            session,
            users.get_user_named(session, user_name),
            actor=shell.actor,
            name=name,
            scopes=[Permission(scope) for scope in scopes],
            days=days,
            now=now,
            address=shell.address,
        )
        facts = _facts(session, made, now)
    if shell.json or as_json:
        click.echo(json.dumps(facts | {"secret": secret}))
        return
    click.echo(_line(facts))
    click.echo(f"Secret, shown only now: {secret}")


@token.command("list")
@click.argument("user_name", metavar="[USER]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.pass_obj
def list_command(shell: Shell, /, user_name: str | None, as_json: bool) -> None:
    """Print the newest tokens of USER, or of everybody; never their secrets."""
    now = shell.runtime.clock()
    with shell.runtime.reads() as session:
        user_id = users.get_user_named(session, user_name).id if user_name else None
        found = [
            _facts(session, made, now) for made in service.list_tokens(session, user_id=user_id)
        ]
    if shell.json or as_json:
        click.echo(json.dumps(found))
        return
    for facts in found:
        click.echo(_line(facts))


@token.command()
@click.argument("token_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.pass_obj
def revoke(shell: Shell, /, token_id: int, as_json: bool) -> None:
    """End the token with this ID for ever."""
    now = shell.runtime.clock()
    with shell.runtime.sessions.begin() as session:
        found = service.get_token(session, token_id, actor=shell.actor)
        service.revoke_token(session, found, actor=shell.actor, now=now, address=shell.address)
        facts = _facts(session, found, now)
    click.echo(json.dumps(facts) if shell.json or as_json else _line(facts))


def _facts(session: Session, made: ApiToken, now: datetime) -> dict[str, Any]:
    user = session.get_one(User, made.user_id)
    return {
        "id": made.id,
        "user": user.name,
        "name": made.name,
        "state": service.state_of(made, now=now),
        "scopes": made.scopes.split(),
        "created_at": made.created_at.isoformat(),
        "used_at": made.used_at.isoformat() if made.used_at else None,
        "expires_at": made.expires_at.isoformat() if made.expires_at else None,
    }


def _line(facts: dict[str, Any]) -> str:
    scopes = ", ".join(facts["scopes"])
    return f"{facts['id']}\t{facts['user']}\t{facts['name']}\t{facts['state']}\t{scopes}"
