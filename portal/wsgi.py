"""What the web server imports."""

from portal.app import create_app
from portal.logs import configure_logging
from portal.settings import Settings

_settings = Settings.from_environment()
configure_logging(_settings)
app = create_app(_settings)
