"""Processes that end with their parent, however it ends. Linux only: prctl(2), pidfd_open(2).

`python -m portal.guard --parent PID -- COMMAND` becomes COMMAND, killed by the kernel when process
PID ends. `python -m portal.guard --fd N [--uid U --gid G] -- COMMAND` stays above COMMAND and ends
with its status; when pipe N closes, or COMMAND ends, it kills all that COMMAND has started.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_NOT_STARTED = 127
_libc = ctypes.CDLL(None, use_errno=True)
_forked_by: list[int] = []
os.register_at_fork(before=lambda: _forked_by.__setitem__(slice(None), [os.getpid()]))


def die_with_parent(parent: int | None = None) -> None:
    """Let the kernel kill this process when the thread that forked it ends.

    Without `parent` the process is one forked by os.fork. Where the parent is gone already, this
    does not return. A later change of credentials undoes it (PR_SET_PDEATHSIG in prctl(2)).
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    forker = _forked_by[0] if _forked_by and _forked_by[0] != os.getpid() else os.getppid()
    if os.getppid() != (forker if parent is None else parent):
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of each descendant whose own parent ends, so that none gets away."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_descendants(*, within: float = 2.0) -> list[int]:
    """Kill and reap all that this process and its children started; return who outlived `within`.

    It is complete only after `adopt_orphans`.
    """
    deadline = time.monotonic() + within
    while (left := descendants(os.getpid())) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not _reap_one():
            threading.Event().wait(0.005)
    return left


def descendants(ancestor: int) -> list[int]:
    """Return the process ids below `ancestor`, zombies included."""
    parents = dict(_parents())
    below = {ancestor}
    while grown := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= grown
    return sorted(below - {ancestor})


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit status where there is one to return."""
    options = _parse(arguments)
    if options.fd is not None:
        return _stay_above(options)
    die_with_parent(options.parent)
    return _become(options.command)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="portal.guard")
    bond = parser.add_mutually_exclusive_group(required=True)
    bond.add_argument("--parent", type=int)
    bond.add_argument("--fd", type=int)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _stay_above(options: argparse.Namespace) -> int:
    os.set_inheritable(options.fd, False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    adopt_orphans()
    child = os.fork()
    if child == 0:
        _be_guarded(options)
    try:
        return _outcome(child, options.fd)
    finally:
        kill_descendants()


def _outcome(child: int, pipe: int) -> int:
    """Wait for the child's end or the pipe's; as a shell does, a signal counts from 128."""
    handle = os.pidfd_open(child)
    ended, _, _ = select.select([handle, pipe], [], [])
    os.close(handle)
    if handle not in ended:
        return 128 + signal.SIGKILL
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def _be_guarded(options: argparse.Namespace) -> None:
    """The child: other credentials first, they would undo the bond; none can be gained after."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        if options.gid is not None:
            os.setgroups([])
            os.setresgid(options.gid, options.gid, options.gid)
        if options.uid is not None:
            os.setresuid(options.uid, options.uid, options.uid)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        die_with_parent()
        os._exit(_become(options.command))
    except BaseException as error:
        os.write(2, f"portal.guard: {error}\n".encode())
        os._exit(_NOT_STARTED)


def _become(command: list[str]) -> int:
    try:
        os.execvp(command[0], command)  # noqa: S606 (an argument list; no shell is meant)
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
        return _NOT_STARTED


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                yield int(entry.name), int(fields[1])


def _reap_one() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
