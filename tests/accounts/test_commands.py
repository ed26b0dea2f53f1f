"""`portal users` in the shell."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from click.testing import CliRunner, Result

from portal.accounts import service
from portal.accounts.commands import users
from portal.accounts.models import User
from portal.accounts.passwords import verify_password
from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.runtime import Runtime

MakeUser = Callable[..., User]


@dataclass(frozen=True)
class Shell:
    runtime: Runtime
    actor: Actor = SYSTEM
    json: bool = False
    address: str = "shell:otter"


@pytest.fixture
def shell(runtime: Runtime) -> Shell:
    return Shell(runtime)


def run(shell: Shell, *words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(users, words, obj=shell, input=stdin)


def stored(shell: Shell, name: str) -> User:
    with shell.runtime.reads() as session:
        return service.get_user_named(session, name)


def test_add_prints_a_one_time_password_that_works(shell: Shell) -> None:
    result = run(shell, "add", "anna", "--role", "member", "--role", "operator", "--json")
    facts = json.loads(result.output)
    anna = stored(shell, "anna")
    assert result.exit_code == 0
    assert facts["roles"] == ["member", "operator"]
    assert facts["must_change_password"]
    assert verify_password(anna.password_hash, facts["one_time_password"])


def test_add_takes_a_password_from_standard_input_and_never_prints_it(shell: Shell) -> None:
    result = run(shell, "add", "anna", "--password-stdin", stdin="seven brown otters\n")
    anna = stored(shell, "anna")
    assert "otters" not in result.output
    assert not anna.must_change_password
    assert verify_password(anna.password_hash, "seven brown otters")


def test_add_without_a_password_on_standard_input_is_refused(shell: Shell) -> None:
    assert isinstance(
        run(shell, "add", "anna", "--password-stdin", stdin="").exception, InvalidError
    )


def test_add_refuses_a_taken_name(shell: Shell, make_user: MakeUser) -> None:
    make_user("anna")
    assert isinstance(run(shell, "add", "Anna").exception, ConflictError)


def test_an_unknown_role_is_wrong_usage(shell: Shell) -> None:
    assert run(shell, "add", "anna", "--role", "root").exit_code == 2


def test_list_prints_a_line_for_each(shell: Shell, make_user: MakeUser) -> None:
    make_user("bert")
    make_user("anna", Role.MEMBER)
    lines = run(shell, "list").output.splitlines()
    assert lines == ["anna\tenabled\tmember", "bert\tenabled\tno role"]


def test_list_prints_json(shell: Shell, make_user: MakeUser) -> None:
    make_user("anna", Role.MEMBER)
    (facts,) = json.loads(run(replace(shell, json=True), "list").output)
    assert (facts["name"], facts["roles"], facts["enabled"]) == ("anna", ["member"], True)


def test_roles_are_set_exactly(shell: Shell, make_user: MakeUser) -> None:
    make_user("anna", Role.MEMBER)
    run(shell, "roles", "anna", "--role", "operator")
    assert [row.role for row in stored(shell, "anna").roles] == ["operator"]


def test_disable_and_enable(shell: Shell, make_user: MakeUser) -> None:
    make_user("anna")
    run(shell, "disable", "anna")
    assert not stored(shell, "anna").enabled
    run(shell, "enable", "anna")
    assert stored(shell, "anna").enabled


def test_password_prints_a_one_time_password(shell: Shell, make_user: MakeUser) -> None:
    make_user("anna")
    facts = json.loads(run(shell, "password", "anna", "--json").output)
    anna = stored(shell, "anna")
    assert anna.must_change_password
    assert verify_password(anna.password_hash, facts["one_time_password"])


def test_password_takes_one_from_standard_input(shell: Shell, make_user: MakeUser) -> None:
    make_user("anna")
    run(shell, "password", "anna", "--password-stdin", stdin="nine green herons\n")
    assert verify_password(stored(shell, "anna").password_hash, "nine green herons")


@pytest.mark.parametrize("command", ["roles", "disable", "enable", "password"])
def test_an_unknown_user_is_named(shell: Shell, command: str) -> None:
    error = run(shell, command, "nemo").exception
    assert isinstance(error, NotFoundError)
    assert "nemo" in str(error)


def test_only_those_who_manage_users_may(shell: Shell) -> None:
    member = Actor(user_id=7, name="anna", roles=frozenset({Role.MEMBER}))
    assert isinstance(run(replace(shell, actor=member), "list").exception, ForbiddenError)
