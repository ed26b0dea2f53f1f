"""What `portal check` says: a sentence, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    ADVICE = "advice"
    NOT_RUNNING = "not_running"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something missing or unsafe: `sentence` says what, `remedy` what to do."""

    level: Level
    sentence: str
    remedy: str


def error(sentence: str, remedy: str) -> Finding:
    """A finding that must be put right."""
    return Finding(level=Level.ERROR, sentence=sentence, remedy=remedy)


def advice(sentence: str, remedy: str) -> Finding:
    """A finding that a careful administrator puts right."""
    return Finding(level=Level.ADVICE, sentence=sentence, remedy=remedy)


def not_running(sentence: str, remedy: str) -> Finding:
    """A part that does not run; wrong only where the portal should be running."""
    return Finding(level=Level.NOT_RUNNING, sentence=sentence, remedy=remedy)
