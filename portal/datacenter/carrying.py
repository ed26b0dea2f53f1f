"""Carrying out the steps of an intent, for the first time or again.

Whatever stands where it should not be touched is never lost: what came in between keeps its
content under a numbered name.
"""

from collections.abc import Callable
from pathlib import Path

from portal.datacenter.disk import WORK, digest_of, drop_workspace, make_folders, move_free
from portal.datacenter.steps import Act, Intent, Step
from portal.files import exchange, move_new

Mark = Callable[[str], None]


def carry_out(storage: Path, intent: Intent, *, fence: Callable[[], None], mark: Mark) -> list[str]:
    """Do all steps that are not done; `fence` raises before a step where another has taken over.

    Returns the targets of files that somebody took away before they came there. `mark` is told of
    each point at which a crash can be tried.
    """
    make_folders(storage)
    missed = []
    for number, step in enumerate(intent.steps):
        fence()
        mark(f"step-{number}")
        if not _do(storage, step, aside=storage / WORK / intent.id / f"removed-{number}"):
            missed.append(step.target)
        mark(f"done-{number}")
    drop_workspace(storage, intent.id)
    return missed


def _do(storage: Path, step: Step, *, aside: Path) -> bool:
    source, target = storage / step.source, storage / step.target
    try:
        match step.act:
            case Act.MOVE:
                _move(source, target, after=step.after)
            case Act.REPLACE:
                _replace(source, target, before=step.before, after=step.after)
            case Act.REMOVE:
                _remove(source, aside, before=step.before)
    except FileNotFoundError:
        return step.act is Act.REMOVE or digest_of(target) == step.after
    return True


def _move(source: Path, target: Path, *, after: str) -> None:
    try:
        move_new(source, target)
    except FileExistsError:
        if digest_of(target) == after == digest_of(source):
            source.unlink()  # a rename that was a link, and did not come to its end
        else:
            move_free(source, target)


def _replace(source: Path, target: Path, *, before: str, after: str) -> None:
    """Afterwards `source` holds what stood there; it goes only if that was planned to go."""
    there = digest_of(target)
    if there is None:
        _move(source, target, after=after)
        return
    if there != after and digest_of(source) == after:
        exchange(source, target)
    if digest_of(source) in (before, after):
        source.unlink()
    else:
        move_free(source, target)


def _remove(source: Path, aside: Path, *, before: str) -> None:
    """What lies aside from an earlier try is looked at first: a new file may have come since."""
    if not aside.exists():
        aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        move_new(source, aside)
    if digest_of(aside) == before:
        aside.unlink()
    else:
        move_free(aside, source)
