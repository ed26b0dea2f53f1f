"""`portal users`: the administration of users from the shell."""

import json
import sys
from collections.abc import Callable
from typing import Any, Protocol

import click
from sqlalchemy.orm import Session

from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.passwords import make_one_time_password
from portal.accounts.permissions import Actor, Permission, Role
from portal.errors import ForbiddenError, InvalidError
from portal.runtime import Runtime


class Shell(Protocol):
    """What the command line gives to every command."""

    @property
    def runtime(self) -> Runtime:
        """The open parts."""

    @property
    def actor(self) -> Actor:
        """Who acts."""

    @property
    def address(self) -> str:
        """From where."""

    @property
    def json(self) -> bool:
        """Whether a machine reads the output."""


ROLE = click.Choice([str(role) for role in Role])
_Command = Callable[..., None]


@click.group()
@click.pass_obj
def users(shell: Shell) -> None:
    """Who may sign in, and with which roles."""
    if not shell.actor.may(Permission.USERS_MANAGE):
        raise ForbiddenError(f"{shell.actor.name!r} may not manage users; an admin may.")


def _printing(command: _Command) -> _Command:
    """Let `--json` stand behind the command too."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


@users.command()
@click.argument("name")
@click.option("--role", "roles", type=ROLE, multiple=True, help="A role; give it once for each.")
@click.option("--display-name", default="", help="The full name, as pages show it.")
@click.option("--email", default="", help="Where messages go.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_printing
@click.pass_obj
def add(
    shell: Shell,
    /,
    name: str,
    roles: tuple[str, ...],
    display_name: str,
    email: str,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add the user NAME. Without --password-stdin a one-time password is made and printed."""
    password = _read_password() if password_stdin else make_one_time_password()
    with shell.runtime.sessions.begin() as session:
        user = service.create_user(
            session,
            name=name,
            roles=[Role(role) for role in roles],
            password=password,
            display_name=display_name,
            email=email,
            must_change_password=not password_stdin,
            **_who(shell),
        )
    _print(shell, as_json, _facts(user), one_time_password=None if password_stdin else password)


@users.command("list")
@_printing
@click.pass_obj
def list_command(shell: Shell, /, as_json: bool) -> None:
    """Print all users."""
    with shell.runtime.reads() as session:
        found = [_facts(user) for user in _everybody(session)]
    if shell.json or as_json:
        click.echo(json.dumps(found))
        return
    for facts in found:
        click.echo(_line(facts))


@users.command("roles")
@click.argument("name")
@click.option("--role", "roles", type=ROLE, multiple=True, help="A role; give it once for each.")
@_printing
@click.pass_obj
def roles_command(shell: Shell, /, name: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Give the user NAME exactly the roles named; none takes all away."""
    with shell.runtime.sessions.begin() as session:
        user = service.get_user_named(session, name)
        service.set_roles(session, user, roles=[Role(role) for role in roles], **_who(shell))
    _print(shell, as_json, _facts(user))


@users.command()
@click.argument("name")
@_printing
@click.pass_obj
def disable(shell: Shell, /, name: str, as_json: bool) -> None:
    """Shut the user NAME out at once."""
    with shell.runtime.sessions.begin() as session:
        user = service.get_user_named(session, name)
        service.disable_user(session, user, **_who(shell))
    _print(shell, as_json, _facts(user))


@users.command()
@click.argument("name")
@_printing
@click.pass_obj
def enable(shell: Shell, /, name: str, as_json: bool) -> None:
    """Let the user NAME sign in again."""
    with shell.runtime.sessions.begin() as session:
        user = service.get_user_named(session, name)
        service.enable_user(session, user, **_who(shell))
    _print(shell, as_json, _facts(user))


@users.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_printing
@click.pass_obj
def password_command(shell: Shell, /, name: str, password_stdin: bool, as_json: bool) -> None:
    """Give the user NAME another password; without --password-stdin a one-time password."""
    given, made = _read_password() if password_stdin else None, None
    with shell.runtime.sessions.begin() as session:
        user = service.get_user_named(session, name)
        if given is None:
            _, made = service.give_one_time_password(session, user.id, **_who(shell))
        else:
            service.set_password(session, user, password=given, **_who(shell))
    _print(shell, as_json, _facts(user), one_time_password=made)


def _who(shell: Shell) -> dict[str, Any]:
    return {"actor": shell.actor, "now": shell.runtime.clock(), "address": shell.address}


def _read_password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InvalidError("There is no password on standard input.")
    return password


def _everybody(session: Session) -> list[User]:
    """All users, read a page at a time."""
    found: list[User] = []
    while batch := service.list_users(session, after=found[-1].name_key if found else ""):
        found.extend(batch)
    return found


def _facts(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "display_name": user.display_name,
        "email": user.email,
        "enabled": user.enabled,
        "must_change_password": user.must_change_password,
        "roles": [row.role for row in user.roles],
        "signed_in_at": user.signed_in_at.isoformat() if user.signed_in_at else None,
    }


def _line(facts: dict[str, Any]) -> str:
    state = "enabled" if facts["enabled"] else "disabled"
    return f"{facts['name']}\t{state}\t{', '.join(facts['roles']) or 'no role'}"


def _print(
    shell: Shell, as_json: bool, facts: dict[str, Any], *, one_time_password: str | None = None
) -> None:
    if shell.json or as_json:
        secret = {"one_time_password": one_time_password} if one_time_password else {}
        click.echo(json.dumps(facts | secret))
        return
    click.echo(_line(facts))
    if one_time_password:
        click.echo(f"One-time password, shown only now: {one_time_password}")
