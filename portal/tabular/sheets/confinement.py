"""What a process that parses strangers' files may still do. Linux."""

import codecs
import ctypes
import os
import resource
import signal
from contextlib import suppress

from portal.guard import die_with_parent

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_GRACE_SECONDS = 2
_OPEN_FILES = 3
_CODECS = ("ascii", "cp437", "cp1252", "latin-1", "utf-8-sig", "utf-16", "utf-16-le")


def confine(*, parent: int, memory: int, cpu_seconds: int) -> None:
    """Bind this process to its parent and take from it all but the three files it has open.

    It cannot open another file or socket (RLIMIT_NOFILE), write to a file, start a process unless
    it is root's, use more than `memory` bytes of addresses, or compute for longer. Where the
    kernel lets it, it is in a network of its own, without any way out, besides. All modules that
    it needs must be imported before.
    """
    die_with_parent(parent)
    for name in _CODECS:
        codecs.lookup(name)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _leave_network()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_AS, memory)
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + _GRACE_SECONDS))
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)


def _leave_network() -> None:
    """Enter a network without anything; only a kernel that allows user namespaces lets others."""
    own = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    ctypes.CDLL(None).unshare(own)


def _limit(kind: int, most: int) -> None:
    """Lower a limit; one that is lower already stays."""
    with suppress(ValueError):
        resource.setrlimit(kind, (most, most))
