"""The lock on the server: a file `write` while files are sent, `read` while they are fetched.

Either keeps both directions out. FTP offers nothing better than to write a random id and read it
back: of two who write at the same moment, one may go on without a lock until his next sign of life.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any

from portal.delivery.faults import AbsentError
from portal.delivery.lock_notes import BEAT, LockNote, read_note, told
from portal.delivery.names import LOCKS, TEMPORARY
from portal.delivery.remote import Remote, RenameRefusedError, discard, read
from portal.delivery.transfer_log import TRANSFER
from portal.errors import ConflictError
from portal.runtime import Clock


class LockedError(ConflictError):
    """Somebody has a lock on the server; `lock` says who."""

    def __init__(self, lock: dict[str, Any]) -> None:
        where = f" on {lock['host']}" if lock["host"] else ""
        super().__init__(
            f"The server is locked ({lock['lock']!r}) by {lock['owner']}{where}; "
            "nothing was transferred."
        )
        self.lock = lock


class LockLostError(ConflictError):
    """The lock that this run had is another's now, or gone."""


class RemoteLock:
    """The lock of one run. `keep` commits the id that is about to be written; empty forgets it."""

    def __init__(
        self, *, name: str, owner: str, known: str, keep: Callable[[str], None], clock: Clock
    ) -> None:
        now = clock()
        self._name = name
        self._known = known
        self._keep = keep
        self._clock = clock
        self._held = False
        self._own = threading.Lock()
        self._tried_at = now
        self._note = LockNote(
            id=secrets.token_hex(16),
            owner=owner,
            host=socket.gethostname(),
            process=os.getpid(),
            since=now,
            beat=now,
        )

    @property
    def held(self) -> bool:
        """Whether there may be a file of ours on the server."""
        return self._held

    def take(self, remote: Remote) -> None:
        """Write the lock file, and read it back. Raises LockedError where somebody has one.

        A lock that an earlier run of the same channel left behind is ours: it is written anew.
        """
        ours = self._ours(remote)
        if self._known:
            discard(remote, _aside(self._known))
        if ours:
            self._note = replace(self._note, id=self._known)
        self._keep(self._note.id)
        self._known = self._note.id
        TRANSFER.info("Creating lock file")
        self._held = True
        self._write(remote, over=ours)
        self._check(remote)
        TRANSFER.info("Lock file successfully created")

    def beat(self, remote: Remote) -> None:
        """Give a sign of life, once a minute. Raises LockLostError where the lock is not ours.

        Of several connections one gives it.
        """
        if not self.is_due() or not self._own.acquire(blocking=False):
            return
        try:
            self._tried_at = self._clock()
            self._check(remote)
            self._note = self._note.alive_at(self._tried_at)
            self._write(remote, over=True)
        finally:
            self._own.release()

    def is_due(self) -> bool:
        """Whether the last sign of life, or the last attempt at one, is a minute ago."""
        return self._clock() - max(self._note.beat, self._tried_at) >= BEAT

    def release(self, remote: Remote) -> None:
        """Remove our lock file; another's stays."""
        TRANSFER.info("Removing lock file")
        with suppress(AbsentError):
            if self._is_ours(remote):
                remote.remove(self._name)
        self._held = False
        self._keep("")
        TRANSFER.info("Lock file successfully removed")

    def _ours(self, remote: Remote) -> bool:
        """Whether this channel left its lock behind; raises LockedError for another's."""
        ours = False
        for name in remote.sizes(LOCKS):
            found = remote.find(name)
            try:
                content = read(remote, name)
            except AbsentError:  # released since we looked
                continue
            note = read_note(content)
            if note is None or name != self._name or not self._known or note.id != self._known:
                now = self._clock()
                modified = found.modified if found is not None else None
                raise LockedError(told(name, content, modified=modified, now=now))
            ours = True
        return ours

    def _write(self, remote: Remote, *, over: bool) -> None:
        """The file is whole or not there: a half one would be nobody's."""
        aside = _aside(self._note.id)
        remote.store(aside, BytesIO(self._note.written()).read, told=lambda _block: None)
        try:
            remote.rename(aside, self._name) if over else remote.rename_new(aside, self._name)
        except RenameRefusedError:
            if not over:
                self._ours(remote)  # tells whose lock came in between, if that is why
                raise
            remote.remove(self._name)
            remote.rename(aside, self._name)

    def _check(self, remote: Remote) -> None:
        if not self._is_ours(remote):
            self._held = False
            raise LockLostError(
                "The lock on the server was broken or is another's by now; the run stopped."
            )

    def _is_ours(self, remote: Remote) -> bool:
        try:
            note = read_note(read(remote, self._name))
        except AbsentError:
            return False
        return note is not None and note.id == self._note.id


def _aside(lock_id: str) -> str:
    return f"{TEMPORARY}lock-{lock_id}"


def lock_on(remote: Remote, *, now: datetime) -> dict[str, Any] | None:
    """Whose lock stands on the server; None where there is none."""
    for name in LOCKS:
        found = remote.find(name)
        if found is not None:
            with suppress(AbsentError):
                return told(name, read(remote, name), modified=found.modified, now=now)
    return None
