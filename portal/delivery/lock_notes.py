"""What stands in a lock file on a server: whose it is, since when, and its last sign of life. Pure.

Other programs write locks of their own there; of these only the text is known.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

SENDING = "write"
FETCHING = "read"
BEAT = timedelta(minutes=1)
STALE = timedelta(minutes=15)
_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class LockNote:
    """The content of a lock file. `id` is a random one; who reads it back has the lock."""

    id: str
    owner: str
    host: str
    process: int
    since: datetime
    beat: datetime

    def written(self) -> bytes:
        """As it stands in the file."""
        facts = asdict(self) | {"since": self.since.isoformat(), "beat": self.beat.isoformat()}
        return (json.dumps(facts, ensure_ascii=False) + "\n").encode()

    def alive_at(self, now: datetime) -> Self:
        """The same with a new sign of life."""
        return replace(self, beat=now)

    def is_stale(self, now: datetime) -> bool:
        """Whether its owner gave no sign of life for so long that he is probably dead."""
        return now - self.beat > STALE


def read_note(content: bytes) -> LockNote | None:
    """The note in a lock file; None where somebody else wrote it in his own way."""
    try:
        facts: dict[str, Any] = json.loads(content.decode())
        return LockNote(
            id=str(facts["id"]),
            owner=str(facts["owner"])[:_SHOWN],
            host=str(facts["host"])[:_SHOWN],
            process=int(facts["process"]),
            since=_time(facts["since"]),
            beat=_time(facts["beat"]),
        )
    except (ValueError, TypeError, KeyError, LookupError):
        return None


def told(name: str, content: bytes, *, modified: datetime | None, now: datetime) -> dict[str, Any]:
    """Whose lock was met, for those who look at the channel; plain values."""
    note = read_note(content)
    if note is None:
        text = content.decode(errors="replace").strip()[:_SHOWN]
        beat = modified
        facts: dict[str, Any] = {"owner": text or "another program", "host": "", "since": None}
    else:
        beat = note.beat
        facts = {"owner": note.owner, "host": note.host, "since": note.since.isoformat()}
    stale = beat is not None and now - beat > STALE
    return facts | {
        "lock": name,
        "beat": beat.isoformat() if beat is not None else None,
        "stale": stale,
        "seen": now.isoformat(),
    }


def _time(text: object) -> datetime:
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found
