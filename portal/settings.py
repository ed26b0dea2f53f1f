"""Every setting of Portal, read once from the environment. README.md lists them all."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from portal.errors import PortalError
from portal.files import write_private

PREFIX = "PORTAL_"
KEY_LENGTH = 32
SECRET = frozenset(
    {"secret_key", "webhook_secret", "smtp_url", "metrics_token", "tables_url", "credential_keys"}
)
DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
KNOWN_KEYS = frozenset({"secret", "changeme", "change-me", "dev", "development", "password"})


class SettingsError(PortalError):
    """A variable has a value that Portal cannot work with; the message names it."""


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(
            f"is no time zone; use a name like Europe/Berlin, not {value!r}"
        ) from error
    return value


def _fernet_keys(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_KEY.fullmatch(key) for key in value):
        raise ValueError(
            "must name keys of 44 characters; make one with: python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        )
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseSettings):
    """What the environment says, with a working default for each variable; never changed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", enable_decoding=False
    )

    data: Path = Path("instance")
    database_url: str = ""
    tables_url: str = ""
    redis_url: str = ""
    secret_key: str = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    debug: bool = False

    public_url: str = ""
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    web_processes: int = Field(default=2, ge=1, le=64)
    web_threads: int = Field(default=4, ge=1, le=64)
    upload_limit_mb: int = Field(default=512, ge=1)
    metrics_token: str = ""

    session_idle_minutes: int = Field(default=120, ge=1)
    session_absolute_hours: int = Field(default=72, ge=1)
    sign_in_failures: int = Field(default=10, ge=1)
    sign_in_window_minutes: int = Field(default=15, ge=1)

    lease_seconds: float = Field(default=30.0, ge=0.5)
    reconcile_seconds: float = Field(default=5.0, ge=0.05)
    rewake_seconds: float = Field(default=30.0, ge=0.1)
    max_attempts: int = Field(default=3, ge=1)
    job_log_days: int = Field(default=90, ge=1)
    rows_days: int = Field(default=90, ge=1)
    stop_seconds: float = Field(default=8.0, ge=0.1)

    exports_kept: int = Field(default=5, ge=1)
    artifact_days: int = Field(default=30, ge=1)
    project_quota_mb: int = Field(default=20_480, ge=1)
    disk_reserve_mb: int = Field(default=512, ge=0)
    datacenter_settle_seconds: float = Field(default=10.0, ge=0)
    datacenter_max_pending: int = Field(default=20, ge=1)
    datacenter_quota_mb: int = Field(default=20_480, ge=1)
    datacenter_removal_share: int = Field(default=50, ge=1, le=100)
    imports_quota_mb: int = Field(default=20_480, ge=1)
    imports_folders: Words = ()
    imports_hosts: Words = ()
    delivery_hosts: Words = ()
    delivery_folders: Words = ()
    credential_keys: Annotated[Words, AfterValidator(_fernet_keys)] = ()

    smtp_url: str = ""
    mail_from: str = "portal@localhost"
    webhook_urls: Words = ()
    webhook_secret: str = ""

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(DATABASES):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("tables_url")
    @classmethod
    def _known_tables_database(cls, value: str) -> str:
        if value and not value.startswith(DATABASES):
            raise ValueError(
                "must begin with sqlite:/// or postgresql://; tables of MariaDB, MySQL and other "
                "databases cannot be used"
            )
        return value

    @field_validator("imports_folders", "delivery_folders")
    @classmethod
    def _whole_paths(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(folder.startswith("/") and ".." not in Path(folder).parts for folder in value):
            raise ValueError("must name folders by their whole path, from / on")
        return value

    @field_validator("imports_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_HOST.fullmatch(host) for host in value):
            raise ValueError("must name hosts such as data.example.org, or data.example.org:8443")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("secret_key")
    @classmethod
    def _strong_key(cls, value: str) -> str:
        if not value:
            return value
        if len(value) < KEY_LENGTH or value.lower() in KNOWN_KEYS or len(set(value)) < 8:
            raise ValueError(
                f"is too short or too well known; use at least {KEY_LENGTH} random characters, "
                "or leave it out and Portal makes one"
            )
        return value

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Return the settings that `environment` (the process's own, if None) describes.

        Raises SettingsError naming the variable that is wrong.
        """
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {
            name: source[PREFIX + name.upper()]
            for name in cls.model_fields
            if source.get(PREFIX + name.upper())
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_sentences(error)) from None

    @property
    def database(self) -> str:
        """The URL of Portal's own database."""
        return self.database_url or f"sqlite:///{self.data / 'portal.sqlite'}"

    @property
    def tables(self) -> str:
        """The URL of the tables database: the one that files are imported into."""
        return self.tables_url or f"sqlite:///{self.data / 'tables.sqlite'}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which pages show times and cron expressions are read."""
        return ZoneInfo(self.timezone)

    def key(self) -> str:
        """Return the secret key; without one in the environment, the one kept in the data folder.

        It is made once, readable by its owner only.
        """
        return self.secret_key or _kept_key(self.data / "secret_key")


def _kept_key(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        write_private(path, secrets.token_urlsafe(48).encode(), overwrite=False)
    return path.read_text().strip()


def _sentences(error: ValidationError) -> str:
    return "\n".join(_sentence(str(fault["loc"][0]), fault) for fault in error.errors())


def _sentence(name: str, fault: Any) -> str:
    said = f"{PREFIX}{name.upper()} {fault['msg'].removeprefix('Value error, ')}"
    return f"{said}." if name in SECRET else f"{said} (it is {fault['input']!r})."
