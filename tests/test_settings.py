"""Settings: read once, refused with the variable's name, listed in the README, all of them used."""

import re
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.settings import PREFIX, Settings, SettingsError

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| `(PORTAL_\w+)` \| (.*?) \|", re.MULTILINE)


def table() -> dict[str, str]:
    """The README's table: each variable with its default as it is written there."""
    return dict(ROW.findall((ROOT / "README.md").read_text()))


def written(value: object) -> str:
    """A default as the README writes it."""
    if value in ("", ()):
        return "–"
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}/`" if isinstance(value, Path) else f"`{value}`"


def test_the_readme_lists_every_variable_with_its_default() -> None:
    fields = Settings.model_fields.items()
    assert table() == {PREFIX + name.upper(): written(field.default) for name, field in fields}


def test_every_variable_is_used() -> None:
    sources = [path for path in (ROOT / "portal").rglob("*.py") if path.parent.name != "checks"]
    text = "\n".join(path.read_text() for path in sources)
    unused = [
        name
        for name in Settings.model_fields
        if not re.search(rf"\b(settings|self|shell\.settings)\.{name}\b", text)
    ]
    assert unused == []


def test_without_any_variable_every_default_works(tmp_path: Path) -> None:
    settings = Settings.from_environment({})
    assert settings.database == f"sqlite:///{settings.data / 'portal.sqlite'}"
    assert settings.data.is_absolute()


def test_an_empty_variable_means_its_default() -> None:
    assert Settings.from_environment({"PORTAL_LEASE_SECONDS": ""}).lease_seconds == 30.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_DATABASE_URL", "mysql://host/portal"),
        ("PORTAL_REDIS_URL", "http://host"),
        ("PORTAL_TIMEZONE", "Mars/Olympus"),
        ("PORTAL_LOG_FORMAT", "xml"),
        ("PORTAL_LEASE_SECONDS", "0"),
        ("PORTAL_WEB_PROCESSES", "many"),
        ("PORTAL_DEBUG", "perhaps"),
        ("PORTAL_SECRET_KEY", "short"),
        ("PORTAL_IMPORTS_FOLDERS", "/srv/drop,relative"),
        ("PORTAL_IMPORTS_FOLDERS", "/srv/../etc"),
        ("PORTAL_SECRET_KEY", "ab" * 40),
    ],
)
def test_a_wrong_value_is_refused_with_the_variables_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({name: value})


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"PORTAL_TIMEZONE": "x", "PORTAL_MAX_ATTEMPTS": "0"})
    assert "PORTAL_TIMEZONE" in str(refused.value)
    assert "PORTAL_MAX_ATTEMPTS" in str(refused.value)


def test_a_refused_secret_is_never_shown() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"PORTAL_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_several_webhooks_are_separated_by_commas() -> None:
    settings = Settings.from_environment({"PORTAL_WEBHOOK_URLS": "https://a, https://b,"})
    assert settings.webhook_urls == ("https://a", "https://b")


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        Settings.from_environment({}).debug = True  # type: ignore[misc]


def test_a_key_is_made_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "new")
    key = settings.key()
    assert len(key) >= 32
    assert settings.key() == key
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600


def test_two_portals_have_different_keys(tmp_path: Path) -> None:
    assert Settings(data=tmp_path / "a").key() != Settings(data=tmp_path / "b").key()


def test_the_key_of_the_environment_goes_first(tmp_path: Path) -> None:
    key = "0123456789-abcdefghijklmnopqrstuvwxyz"
    assert Settings(data=tmp_path, secret_key=key).key() == key
    assert not (tmp_path / "secret_key").exists()
