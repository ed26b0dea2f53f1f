"""One stream of log lines: readable, or JSON; of this process, and of those below it."""

import json
import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import IO, Any, Literal

import structlog
from structlog.typing import Processor

from portal.settings import Settings

Event = Mapping[str, Any]

_QUIET = ("alembic", "rq.worker")  # at INFO they tell of every step that went well
_LEADING = ("time", "part", "level", "event", "exception", "stack", "logger")


def configure_logging(settings: Settings, *, part: str = "", stream: IO[str] | None = None) -> None:
    """Send structlog's events and stdlib's records to `stream` (stderr), a line each.

    `part` names the process in its lines. Calling it again replaces what it did before.
    """
    handler = _PortalHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(settings.log_format, part))
    root = logging.getLogger()
    for former in [one for one in root.handlers if isinstance(one, _PortalHandler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_common(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class LogStream:
    """Where the lines of many processes become one stream; a reader who is gone stops nothing."""

    def __init__(self, stream: IO[str], *, log_format: Literal["text", "json"]) -> None:
        self._stream = stream
        self._render = as_json if log_format == "json" else as_text

    def relay(self, part: str, line: bytes) -> None:
        """Write a line that `part` wrote, under its name."""
        try:
            self._stream.write(self._render({**parse_line(line), "part": part}) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # the pipe or terminal is closed
            return


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the event that `line` is, or one made of its text."""
    text = line.decode(errors="replace")
    try:
        event = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        event = None
    return {"time": _now(), **event} if isinstance(event, dict) else {"time": _now(), "event": text}


def as_json(event: Event) -> str:
    """Render an event as one line of JSON."""
    return json.dumps(event, default=str, ensure_ascii=True)


def as_text(event: Event) -> str:
    """Render an event as `time part message name=value`.

    What continues it (a traceback, a message of several lines) is indented below, so that no
    message can pass for another part's; control characters are spelt out.
    """
    level = str(event.get("level", "")).upper()
    head = f"{event.get('time', '')} {event.get('part', ''):<15} "
    words = [level] if level in ("WARNING", "ERROR", "CRITICAL") else []
    words.append(str(event.get("event", "")))
    words += [f"{name}={_value(value)}" for name, value in event.items() if name not in _LEADING]
    lines = [" ".join(words), *(str(event[key]) for key in ("exception", "stack") if key in event)]
    return head + "\n    ".join(_printable(line) for text in lines for line in text.splitlines())


class _PortalHandler(logging.StreamHandler[IO[str]]):
    """The one handler that is ours to replace."""


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _formatter(log_format: str, part: str) -> logging.Formatter:
    def render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        named = {**event, "part": part} if part else event
        return as_json(named) if log_format == "json" else as_text(named)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_common(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if text and " " not in text and text.isprintable() else json.dumps(text)


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in text
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
