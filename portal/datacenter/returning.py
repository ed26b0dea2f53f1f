"""After the undo of a batch: its file waits again, as if nobody had ever processed it.

All of it or nothing: where one of the files that the run left was changed since, all stay.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

from portal.accounts.permissions import Actor
from portal.datacenter import names
from portal.datacenter.appending import cut_off
from portal.datacenter.disk import digest_of, drop_workspace, make_durable, make_workspace, names_in
from portal.datacenter.disk import stage as staged
from portal.datacenter.distribution import Staged
from portal.datacenter.folders import DataCenter
from portal.datacenter.intents import Standing
from portal.datacenter.steps import Act, Intent, Kind, Step
from portal.errors import ConflictError
from portal.rows.batch import GOOD, Batch
from portal.tabular.table import TableError

BACK = "{name} waits again under Waiting, and its rows are out of Finished."
STAYS = "{name} was not put back under Waiting: {reason}"
UNKNOWN = "what became of its files is no longer known."


@dataclass(frozen=True, kw_only=True)
class Return:
    """A batch whose files shall go back: `name` waited in the root; `done` says what was done.

    `done` are the intents of its attempts, the oldest first.
    """

    batch: Batch
    name: str
    done: Sequence[Standing]
    actor: Actor

    @property
    def shown(self) -> str:
        """The file's name as people know it."""
        return self.batch.order.file_name

    @property
    def steps(self) -> list[Step]:
        """All that was done with files for the batch."""
        return [step for standing in self.done for step in standing.intent.steps]

    def left(self, what: str) -> str:
        """Where the last attempt left its `original`, `finished` or `pending`; empty for none."""
        told = (str((standing.result or {}).get(what, "")) for standing in reversed(self.done))
        return next(told) if what != "finished" else next((one for one in told if one), "")

    def written(self, target: str) -> list[Step]:
        """The steps that put something at `target`."""
        return [s for s in self.steps if s.target == target and s.act is not Act.REMOVE]


def occasion_of_return(batch: Batch) -> str:
    """What the return of a batch's files is known by."""
    return f"{batch.id}:undo"


def said_of(standing: Standing) -> str:
    """What became of the file, in a sentence."""
    return str(standing.intent.detail["where"]["said"])


def plan_return(center: DataCenter, wanted: Return) -> Intent:
    """What is to be done, staged and said; without steps where the files have to stay."""
    intent_id = uuid4().hex
    work = make_workspace(center.storage, intent_id)
    try:
        steps, said = _steps(center.storage, wanted, work), BACK.format(name=wanted.shown)
    except (ConflictError, TableError) as error:
        drop_workspace(center.storage, intent_id)
        steps, said = (), STAYS.format(name=wanted.shown, reason=error)
    else:
        make_durable(work)
    return Intent(
        id=intent_id,
        occasion=occasion_of_return(wanted.batch),
        kind=Kind.RETURN,
        subject=names.subject_of(wanted.name),
        steps=steps,
        detail={"where": {"said": said}},
        actor=wanted.actor,
        action="datacenter.return" if steps else "",
        about=wanted.name,
    )


def _steps(storage: Path, wanted: Return, work: Path) -> tuple[Step, ...]:
    """The steps back, the file itself last; raises ConflictError where one is not possible."""
    original, pending = wanted.left("original"), wanted.left("pending")
    if not original:
        raise ConflictError(UNKNOWN)
    _refuse_taken(storage, wanted.name, besides=pending)
    _check_chain(wanted, wanted.left("finished"))
    for path in filter(None, (original, wanted.left("finished"), pending)):
        _check_untouched(storage, wanted, path)
    good = _good_rows_back(storage, wanted, work)
    removed = _removal(wanted, pending) if pending and pending != wanted.name else ()
    if any(step.after == wanted.batch.order.sha256 for step in wanted.written(original)):
        move = Step(
            act=Act.MOVE, source=original, target=wanted.name, after=wanted.batch.order.sha256
        )
        return (*good, *removed, move)
    return (*good, *removed, *_repair_back(storage, wanted, work))


def _refuse_taken(storage: Path, name: str, *, besides: str) -> None:
    taken = {names.key(other) for other in names_in(storage) - {besides}}
    if names.key(name) in taken:
        raise ConflictError("another file of that name waits there.")


def _check_chain(wanted: Return, finished: str) -> None:
    """No other run may have added rows between two attempts of this one."""
    written = wanted.written(finished)
    for earlier, later in pairwise(written):
        if later.before != earlier.after:
            raise ConflictError("rows of another file were added to its good rows.")


def _check_untouched(storage: Path, wanted: Return, path: str) -> None:
    written = wanted.written(path)
    if written and digest_of(storage / path) != written[-1].after:
        raise ConflictError(f"{path} was changed, moved or processed since.")


def _good_rows_back(storage: Path, wanted: Return, work: Path) -> tuple[Step, ...]:
    """Take the batch's rows out of the file of good rows; it goes where all came from it."""
    path = wanted.left("finished")
    if not path:
        return ()
    written = wanted.written(path)
    if written[0].act is Act.MOVE:
        return _removal(wanted, path)
    target = work / "finished"
    with target.open("xb") as stream:
        cut_off(storage / path, stream, rows=sum(getattr(wanted.batch.counts, o) for o in GOOD))
        stream.flush()
        os.fsync(stream.fileno())
    there = Staged(path=target.relative_to(storage).as_posix(), sha256=digest_of(target) or "")
    replaced = Step(
        act=Act.REPLACE,
        source=there.path,
        target=path,
        before=written[-1].after,
        after=there.sha256,
    )
    return (replaced,)


def _repair_back(storage: Path, wanted: Return, work: Path) -> tuple[Step, ...]:
    """The file repaired another: it is put back as it was read, the other is unfinished again."""
    target = work / "original"
    digest = staged(wanted.batch.order.file, target)
    source = target.relative_to(storage).as_posix()
    pending, original = wanted.left("pending"), wanted.left("original")
    back: tuple[Step, ...] = ()
    for came in wanted.written(original)[-1:]:
        back = (Step(act=Act.MOVE, source=original, target=came.source, after=came.after),)
    if pending == wanted.name:
        before = wanted.written(pending)[-1].after
        replaced = Step(act=Act.REPLACE, source=source, target=pending, before=before, after=digest)
        return (*back, replaced)
    return (*back, Step(act=Act.MOVE, source=source, target=wanted.name, after=digest))


def _removal(wanted: Return, path: str) -> tuple[Step, ...]:
    before = wanted.written(path)[-1].after
    return (Step(act=Act.REMOVE, source=path, target=path, before=before),)
