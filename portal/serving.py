"""gunicorn's configuration: its log goes the way of all logs, its workers die with it."""

import logging
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from portal.guard import die_with_parent
from portal.logs import configure_logging
from portal.settings import Settings


class PassingLogger(Logger):  # type: ignore[misc]  # gunicorn is not typed
    """Leaves the form and the place of log lines to Portal."""

    def setup(self, cfg: Any) -> None:
        """Let gunicorn's loggers pass their records on; it writes no access log."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)


def on_starting(_arbiter: Any) -> None:
    """Set up the log of gunicorn's own process."""
    configure_logging(Settings.from_environment())


def post_fork(_arbiter: Any, _worker: Any) -> None:
    """Bind each worker's life to gunicorn's."""
    die_with_parent()


logger_class = PassingLogger
