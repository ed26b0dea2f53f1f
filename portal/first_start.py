"""What happens when a portal starts for the first time."""

from portal.accounts.service import ensure_first_admin
from portal.db import open_engine
from portal.migrations.run import upgrade
from portal.runtime import Runtime
from portal.settings import Settings


def migrate(settings: Settings) -> None:
    """Bring the database to this version's schema; a second starter waits for the first."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o711)
    engine = open_engine(settings.database)
    try:
        upgrade(engine)
    finally:
        engine.dispose()


def make_first_admin(settings: Settings) -> str | None:
    """Make the user `admin` where there is no user at all; returns the one-time password."""
    runtime = Runtime.open(settings)
    try:
        with runtime.sessions.begin() as session:
            return ensure_first_admin(session, now=runtime.clock())
    finally:
        runtime.close()
