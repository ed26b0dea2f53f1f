"""Endpoints: what is kept of a server, that its password never shows, and that it stays there."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, text

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.audit.models import AuditEntry
from portal.delivery.credentials import Vault, open_vault
from portal.delivery.endpoints import (
    Options,
    add_endpoint,
    address_of,
    approve_key,
    change_endpoint,
    get_endpoint,
    list_endpoints,
    remove_endpoint,
    renew_secrets,
    server_of,
)
from portal.delivery.host_keys import fingerprint
from portal.delivery.models import Endpoint
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.runtime import Runtime

OPERATOR = Actor(user_id=None, name="olga", roles=frozenset({Role.OPERATOR}))
MEMBER = Actor(user_id=None, name="mia", roles=frozenset({Role.MEMBER}))
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIcktwVouh/X78MebY8+UBjgtc4vCDbnned1hERPNSCo"


def add(
    runtime: Runtime, url: str = "ftps://u:canary@example.org/x", name: str = "partner"
) -> Endpoint:
    with runtime.sessions.begin() as session:
        return add_endpoint(
            session,
            actor=OPERATOR,
            name=name,
            url=url,
            vault=open_vault(runtime.settings),
            now=runtime.clock(),
        )


def change(runtime: Runtime, url: str, secret: str = "", **options: object) -> Endpoint:
    with runtime.sessions.begin() as session:
        return change_endpoint(
            session,
            actor=OPERATOR,
            name="partner",
            url=url,
            secret=secret,
            options=Options(**options),  # type: ignore[arg-type]
            vault=open_vault(runtime.settings),
            now=runtime.clock(),
        )


def password(runtime: Runtime, endpoint: Endpoint) -> str:
    vault = open_vault(runtime.settings)
    return server_of(endpoint, vault=vault, settings=runtime.settings).address.password


def test_an_endpoint_keeps_its_address_and_its_password(runtime: Runtime) -> None:
    add(runtime)
    with runtime.reads() as session:
        kept = get_endpoint(session, actor=OPERATOR, name="partner")
    assert address_of(kept).url == "ftps://u@example.org/x"
    assert password(runtime, kept) == "canary"


def test_the_password_is_in_no_row(runtime: Runtime) -> None:
    add(runtime)
    with runtime.reads() as session:
        rows = [
            *session.execute(text("SELECT * FROM delivery_endpoint")),
            *session.execute(text("SELECT * FROM audit_entry")),
        ]
    assert "canary" not in repr(rows)


def test_two_endpoints_have_two_names(runtime: Runtime) -> None:
    add(runtime)
    with pytest.raises(ConflictError, match="already"):
        add(runtime)


def test_only_operators_see_and_change_endpoints(runtime: Runtime) -> None:
    add(runtime)
    with runtime.reads() as session:
        for use in (
            lambda: list_endpoints(session, actor=MEMBER),
            lambda: get_endpoint(session, actor=MEMBER, name="partner"),
        ):
            with pytest.raises(ForbiddenError):
                use()


def test_a_password_stays_with_its_server(runtime: Runtime) -> None:
    add(runtime)
    assert password(runtime, change(runtime, "ftps://u@example.org/other")) == "canary"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("ftps://u@evil.example/x", {}),
        ("ftps://u@example.org:991/x", {}),
        ("ftps://other@example.org/x", {}),
        ("ftp://u@example.org/x", {}),
        ("ftps://u@example.org/x", {"tls_verify": False}),
    ],
)
def test_a_password_does_not_follow_to_another_server(
    runtime: Runtime, url: str, options: dict[str, object]
) -> None:
    add(runtime)
    with pytest.raises(InvalidError, match="password anew"):
        change(runtime, url, **options)
    assert password(runtime, change(runtime, url, secret="new", **options)) == "new"


def test_an_approved_key_is_that_which_was_seen(runtime: Runtime) -> None:
    endpoint = add(runtime, "sftp://u:p@example.org")
    with runtime.sessions.begin() as session:
        session.merge(endpoint).shown_key = KEY
    with runtime.sessions.begin() as session:
        with pytest.raises(ConflictError, match="another key"):
            approve_key(
                session, actor=OPERATOR, name="partner", shown="ssh-rsa x", now=runtime.clock()
            )
        approved = approve_key(
            session, actor=OPERATOR, name="partner", shown=fingerprint(KEY), now=runtime.clock()
        )
    assert approved.host_key == KEY


def test_another_host_has_another_key(runtime: Runtime) -> None:
    endpoint = add(runtime, "sftp://u:p@example.org")
    with runtime.sessions.begin() as session:
        session.merge(endpoint).host_key = KEY
    assert change(runtime, "sftp://u@example.com", secret="p").host_key == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [({"encoding": "klingon"}, "no encoding"), ({"tls_ca": "x"}, "no certificate")],
)
def test_what_cannot_be_is_said(runtime: Runtime, options: dict[str, object], said: str) -> None:
    add(runtime)
    with pytest.raises(InvalidError, match=said):
        change(runtime, "ftps://u@example.org/x", secret="p", **options)


def test_a_removed_endpoint_is_gone(runtime: Runtime) -> None:
    add(runtime)
    with runtime.sessions.begin() as session:
        remove_endpoint(session, actor=OPERATOR, name="partner", now=runtime.clock())
    with runtime.reads() as session, pytest.raises(NotFoundError):
        get_endpoint(session, actor=OPERATOR, name="partner")


def test_all_passwords_are_encrypted_anew_with_the_first_key(runtime: Runtime) -> None:
    add(runtime)
    kept = (runtime.settings.data / "credential_key").read_text()
    new = Fernet.generate_key().decode()
    with runtime.sessions.begin() as session:
        vault = Vault([new, kept])
        assert renew_secrets(session, actor=SYSTEM, vault=vault, now=runtime.clock()) == 1
    with runtime.reads() as session:
        assert Vault([new]).open(session.scalars(select(Endpoint.secret)).one()) == "canary"


def test_what_was_done_stands_in_the_audit_log(runtime: Runtime) -> None:
    add(runtime)
    with runtime.reads() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor_name, entry.object_id) == (
        "delivery.endpoint.add",
        "olga",
        "partner",
    )
