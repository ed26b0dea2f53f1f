"""A process that works on a spool: `python -m tests.drills.spool_process ROOT`.

It forks a child for each instruction of the spool's code; the child ends itself there, by SIGKILL.
The parent tells what was wrong afterwards, and at which instruction; and how many there were.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from portal.delivery import spool as spool_module
from portal.delivery.spool import Space, Spool

CONTENT = b"content " * 1000
FILES = {spool_module.__file__, spool_module.move_new.__code__.co_filename}


def work(spool: Spool) -> None:
    """The ways of a file through a spool: made, moved, put away beside another, taken back."""
    with spool.create("a") as stream:
        stream.write(CONTENT)
    spool.move("a", "tmp", "new")
    spool.put_away("a", Space.NEW, Space.CUR)
    spool.move("b", "new", "cur")
    spool.move("b", "cur", "new")


def die_at(instruction: int) -> None:
    seen = 0

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename not in FILES:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            seen += 1
            if seen == instruction:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def faults(spool: Spool) -> list[str]:
    """What a crash must not leave; the earlier `a` in `cur` belongs there beside the new one."""
    found = [path for path in spool.root.rglob("*") if path.is_file()]
    moved = sorted(path.parent.name for path in found if path.name == "b")
    said = [] if len(moved) == 1 else [f"b is in {moved}"]
    fresh = [path for path in found if path.name in ("a", "a~2") and path.read_bytes() != b"old"]
    if len(fresh) > 1:
        said.append(f"a is in {fresh}")
    if any(path.parent.name != "tmp" and path.read_bytes() != CONTENT for path in fresh):
        said.append(f"a is not whole in {fresh}")
    if (spool.root / "cur" / "a").read_bytes() != b"old":
        said.append("the earlier a was overwritten")
    return said


def make(root: Path) -> Spool:
    spool = Spool(root)
    spool.prepare()
    (root / "cur" / "a").write_bytes(b"old")
    (root / "new" / "b").write_bytes(CONTENT)
    return spool


def main(root: Path) -> None:
    for instruction in range(1, 100_000):
        spool = make(root / str(instruction))
        child = os.fork()
        if child == 0:
            die_at(instruction)
            work(spool)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        for fault in faults(spool):
            sys.stdout.write(f"instruction {instruction}: {fault}\n")
        if os.WIFEXITED(status):
            code = os.waitstatus_to_exitcode(status)
            sys.stdout.write(f"{instruction - 1} instructions, ended with {code}\n")
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
