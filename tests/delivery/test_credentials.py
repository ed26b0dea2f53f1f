"""Passwords at rest: encrypted, with keys that can be changed."""

import stat
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet

from portal.delivery.credentials import Vault, open_vault
from portal.delivery.faults import DeliveryError
from portal.settings import Settings, SettingsError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_locked_password_does_not_show_and_opens_again() -> None:
    locked = Vault([OLD]).lock("canary")
    assert "canary" not in locked
    assert Vault([OLD]).open(locked) == "canary"


def test_every_key_opens_and_the_first_one_locks() -> None:
    both = Vault([NEW, OLD])
    assert both.open(Vault([OLD]).lock("secret")) == "secret"
    assert Vault([NEW]).open(both.lock("secret")) == "secret"


def test_a_renewed_password_needs_the_first_key_only() -> None:
    renewed = Vault([NEW, OLD]).renew(Vault([OLD]).lock("secret"))
    assert Vault([NEW]).open(renewed) == "secret"


def test_a_missing_key_is_said() -> None:
    with pytest.raises(DeliveryError, match="PORTAL_CREDENTIAL_KEYS"):
        Vault([NEW]).open(Vault([OLD]).lock("secret"))
    with pytest.raises(DeliveryError, match="PORTAL_CREDENTIAL_KEYS"):
        Vault([NEW]).renew(Vault([OLD]).lock("secret"))


def test_no_password_stays_none() -> None:
    vault = Vault([OLD])
    assert vault.open(vault.renew(vault.lock(""))) == ""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_setting_a_key_is_made_and_kept(settings: Settings) -> None:
    locked = open_vault(settings).lock("secret")
    assert open_vault(settings).open(locked) == "secret"
    assert stat.S_IMODE((settings.data / "credential_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_keys_of_the_environment_are_used(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(credential_keys=f"{NEW},{OLD}")
    assert open_vault(settings).open(Vault([OLD]).lock("secret")) == "secret"


def test_what_is_no_key_is_refused_without_telling_it() -> None:
    with pytest.raises(SettingsError, match="44 characters") as caught:
        Settings.from_environment({"PORTAL_CREDENTIAL_KEYS": "canary"})
    assert "canary" not in str(caught.value)
