"""Getting the results of a run ready: staged beside their places, named, and planned."""

import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from portal.accounts.permissions import SYSTEM, Actor
from portal.datacenter import names
from portal.datacenter.appending import append
from portal.datacenter.disk import (
    digest_of,
    find_entry,
    make_durable,
    make_workspace,
    names_in,
    stage,
)
from portal.datacenter.distribution import Lying, Naming, Run, Staged, free_name, name_results, plan
from portal.datacenter.steps import ABSENT, Fact, Folder, Intent, Kind
from portal.errors import InvalidError, NotFoundError
from portal.tabular.table import TableError


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a run left behind. `source` lies in the storage's root and `copy` is what was read.

    All went well where there is no `pending` file.
    """

    source: Path
    finished: Path | None
    pending: Path | None
    mode: str
    copy: Path | None = None
    actor: Actor = SYSTEM


@dataclass(frozen=True, kw_only=True)
class Distributed:
    """Where the files of a run went: their paths in the storage."""

    original: str
    finished: str = ""
    pending: str = ""

    def as_json(self) -> dict[str, Any]:
        """What the database keeps of it."""
        return asdict(self)


def intend(storage: Path, results: Results, *, intent_id: str, occasion: str) -> Intent:
    """Stage the results in the storage's hidden work folder and say what is to be done with them.

    Nothing that people see has changed until the intent's steps are carried out.
    """
    name = _checked_source(storage, results)
    work = make_workspace(storage, intent_id)
    lying = _lying(storage)
    naming = name_results(name, results.mode, lying)
    naming, finished = _staged_rows(storage, results, work, naming, lying)
    run = _with_source(
        Run(
            name=name,
            sha256=digest_of(results.source) or ABSENT,
            finished=finished,
            finished_before=_digest(storage / Folder.FINISHED / naming.finished),
            pending=_staged(results.pending, work / "pending", storage),
            repaired_sha256=_digest(storage / Folder.UNFINISHED / (naming.repaired or "")),
        ),
        results,
        work=work,
        storage=storage,
    )
    make_durable(work)
    return Intent(
        id=intent_id,
        occasion=occasion,
        kind=Kind.DISTRIBUTION,
        subject=names.subject_of(name),
        steps=plan(run, naming, taken=lying.root),
        facts=_facts(work / "pending", naming, run),
        detail={
            "where": _where(run, naming).as_json(),
            "leftovers": _leftovers(results),
        },
        actor=results.actor,
    )


def forget_leftovers(paths: list[str], *, storage: Path) -> None:
    """Remove the files that a run left, and their folder where nothing else is in it."""
    for path in map(Path, paths):
        path.unlink(missing_ok=True)
        if not path.parent.is_relative_to(storage):
            with suppress(OSError):  # it holds something else, or went with another file
                path.parent.rmdir()


def _checked_source(storage: Path, results: Results) -> str:
    source = results.source
    if source.parent != storage or names.is_hidden(source.name):
        raise InvalidError(f"{source} does not wait in the storage {storage}.")
    if results.copy is None and find_entry(source) is None:
        raise NotFoundError(f"{names.shown_name(source.name)} is not in the storage any more.")
    return source.name


def _lying(storage: Path) -> Lying:
    return Lying(
        root=names_in(storage),
        finished=names_in(storage / Folder.FINISHED),
        unfinished=names_in(storage / Folder.UNFINISHED),
    )


def _staged_rows(
    storage: Path, results: Results, work: Path, naming: Naming, lying: Lying
) -> tuple[Naming, Staged | None]:
    """The good rows, with those of earlier runs where there are some.

    Where the two cannot be put together, the new ones get a file of their own.
    """
    if results.finished is None:
        return naming, None
    target, earlier = work / "finished", storage / Folder.FINISHED / naming.finished
    if naming.appends:
        try:
            return naming, _appended(earlier, results.finished, target, storage)
        except TableError:
            target.unlink(missing_ok=True)
            own = free_name(naming.finished, lying.finished)
            naming = replace(naming, finished=own, appends=False)
    return naming, _staged(results.finished, target, storage)


def _appended(earlier: Path, later: Path, target: Path, storage: Path) -> Staged:
    with target.open("xb") as stream:
        append(earlier, later, stream)
        stream.flush()
        os.fsync(stream.fileno())
    return _known(target, digest_of(target) or ABSENT, storage)


def _staged(source: Path | None, target: Path, storage: Path) -> Staged | None:
    return None if source is None else _known(target, stage(source, target), storage)


def _known(path: Path, digest: str, storage: Path) -> Staged:
    return Staged(path=path.relative_to(storage).as_posix(), sha256=digest)


def _with_source(run: Run, results: Results, *, work: Path, storage: Path) -> Run:
    """Where the source is not what was read any more, its copy stands for it."""
    if results.copy is None or digest_of(results.copy) == run.sha256:
        return run
    original = _staged(results.copy, work / "original", storage)
    return replace(run, original=original, gone=run.sha256 == ABSENT)


def _digest(path: Path) -> str:
    return digest_of(path) or ABSENT


def _facts(pending: Path, naming: Naming, run: Run) -> tuple[Fact, ...]:
    entry = find_entry(pending)
    if entry is None or run.pending is None:
        return ()
    fact = Fact(
        name=naming.pending,
        size=entry.size,
        mtime_ns=entry.mtime_ns,
        sha256=run.pending.sha256,
        origin="pending",
    )
    return (fact,)


def _where(run: Run, naming: Naming) -> Distributed:
    over = run.pending is None
    original = naming.original if over or not naming.repaired else naming.repaired
    return Distributed(
        original=f"{Folder.FINISHED if over else Folder.UNFINISHED}/{original}",
        finished=f"{Folder.FINISHED}/{naming.finished}" if run.finished else "",
        pending=naming.pending if run.pending else "",
    )


def _leftovers(results: Results) -> list[str]:
    return [str(path) for path in (results.finished, results.pending) if path is not None]
