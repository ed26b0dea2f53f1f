"""Where the files of a run go: planned here, done elsewhere (carrying.py). Pure.

A plan is a list of steps. Each names its target's SHA-256 before and after, so that whoever
resumes it sees which steps are done.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from portal.datacenter import names
from portal.datacenter.steps import ABSENT, Act, Folder, Step


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A file that is ready in the storage's hidden work folder."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Lying:
    """The names that lie in the folders now."""

    root: frozenset[str] = frozenset()
    finished: frozenset[str] = frozenset()
    unfinished: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What the files of a run will be called.

    `repaired` is the original in `unfinished/` that a pending file completes; None for a file
    that is processed for the first time. `appends` says that there are good rows already.
    """

    original: str
    finished: str
    pending: str
    repaired: str | None = None
    appends: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came out of processing the file `name` in the root, whose content is `sha256`.

    `finished` and `pending` are its good and its failed rows. `original` is a copy of what was
    processed, given where the root has no such file any more (`gone`) or another one.
    `finished_before` and `repaired_sha256` say what lies in `finished/` and `unfinished/`.
    """

    name: str
    sha256: str
    finished: Staged | None = None
    pending: Staged | None = None
    original: Staged | None = None
    gone: bool = False
    finished_before: str = ABSENT
    repaired_sha256: str = ABSENT


def name_results(name: str, mode: str, lying: Lying) -> Naming:
    """Decide what the results of `name` are called, so that nothing that lies there is met.

    The results of a repaired pending file join those of its original; all others get a stem of
    their own, numbered where it is taken.
    """
    pending = names.find_pending(name)
    repaired = find_original(pending, lying.unfinished) if pending else None
    if pending is None or repaired is None:
        return _of_new(name, mode, lying)
    finished = names.finished_name(pending.stem, mode)
    return Naming(
        original=free_name(repaired, lying.finished),
        finished=finished,
        pending=names.pending_name(pending.stem, mode),
        repaired=repaired,
        appends=finished in lying.finished,
    )


def find_original(pending: names.PendingName, unfinished: Iterable[str]) -> str | None:
    """The original in `unfinished/` whose failed rows a pending file has, None for none."""
    same = (name for name in sorted(unfinished) if names.stem_of(name) == pending.stem)
    return next(same, None)


def plan(run: Run, naming: Naming, *, taken: Iterable[str] = ()) -> tuple[Step, ...]:
    """The steps, results first and the source last; `taken` are the names in the root.

    Without pending rows all went well.
    """
    ends = _ends_of_repair if naming.repaired else _ends_of_new
    return (*_good_rows(run, naming), *ends(run, naming, frozenset(taken)))


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, numbered where another file has it."""
    keys = {names.key(other) for other in taken}
    candidates = (names.numbered(name, number) for number in count(1))
    return next(found for found in candidates if names.key(found) not in keys)


def _of_new(name: str, mode: str, lying: Lying) -> Naming:
    done = {names.key(other) for other in (*lying.finished, *lying.unfinished)}
    waiting = {names.key(other) for other in lying.root} - {names.key(name)}
    for number in count(1):
        original = names.numbered(name, number)
        stem = names.stem_of(original)
        naming = Naming(
            original=original,
            finished=names.finished_name(stem, mode),
            pending=names.pending_name(stem, mode),
        )
        met = {names.key(original), names.key(naming.finished)} & done
        if not met and not {names.key(original), names.key(naming.pending)} & waiting:
            return naming
    raise AssertionError("numbers do not end")


def _good_rows(run: Run, naming: Naming) -> tuple[Step, ...]:
    if run.finished is None:
        return ()
    return (
        Step(
            act=Act.REPLACE if naming.appends else Act.MOVE,
            source=run.finished.path,
            target=f"{Folder.FINISHED}/{naming.finished}",
            before=run.finished_before,
            after=run.finished.sha256,
        ),
    )


def _ends_of_new(run: Run, naming: Naming, _taken: frozenset[str]) -> tuple[Step, ...]:
    folder = Folder.FINISHED if run.pending is None else Folder.UNFINISHED
    source = Staged(path=run.name, sha256=run.sha256) if run.original is None else run.original
    moved = _move(source, f"{folder}/{naming.original}")
    return (moved,) if run.pending is None else (_move(run.pending, naming.pending), moved)


def _ends_of_repair(run: Run, naming: Naming, taken: frozenset[str]) -> tuple[Step, ...]:
    if run.pending is not None:
        return _still_pending(run, run.pending, naming, taken)
    completed = Step(
        act=Act.MOVE,
        source=f"{Folder.UNFINISHED}/{naming.repaired}",
        target=f"{Folder.FINISHED}/{naming.original}",
        after=run.repaired_sha256,
    )
    return (completed, *_removal(run))


def _still_pending(
    run: Run, pending: Staged, naming: Naming, taken: frozenset[str]
) -> tuple[Step, ...]:
    """The new pending rows take the place of the old; a file that changed since is set aside."""
    if run.original is None and naming.pending == run.name:
        return (
            Step(
                act=Act.REPLACE,
                source=pending.path,
                target=run.name,
                before=run.sha256,
                after=pending.sha256,
            ),
        )
    if naming.pending != run.name:
        return (_move(pending, free_name(naming.pending, taken)), *_removal(run))
    aside = (
        ()
        if run.gone
        else (Step(act=Act.MOVE, source=run.name, target=free_name(run.name, taken)),)
    )
    return (*aside, _move(pending, run.name))


def _removal(run: Run) -> tuple[Step, ...]:
    if run.original is not None:
        return ()
    return (Step(act=Act.REMOVE, source=run.name, target=run.name, before=run.sha256),)


def _move(source: Staged, target: str) -> Step:
    return Step(act=Act.MOVE, source=source.path, target=target, after=source.sha256)
