"""Fetching what lies on a server into a spool. Nothing is removed there before it is safe here."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from portal.delivery.connecting import locked_line
from portal.delivery.counting import Counted
from portal.delivery.faults import AbsentError, DeliveryError, LostError, Reason
from portal.delivery.inbox import (
    Arriving,
    is_taken,
    open_arriving,
    put_into_new,
    read_arriving,
    remove_arriving,
    size_here,
    writing_here,
)
from portal.delivery.ledger import Entry, Ledger
from portal.delivery.names import numbered
from portal.delivery.policies import POLICIES, is_given_up
from portal.delivery.remote import RESUME_FROM, RemoteFile
from portal.delivery.remote_lock import LockLostError
from portal.delivery.run import LOSSES, Outcome, Route, Run
from portal.delivery.side_by_side import side_by_side
from portal.delivery.states import AfterFetch, FileState
from portal.delivery.transfer_log import TRANSFER
from portal.delivery.wanting import Fetching, wanted
from portal.errors import ConflictError
from portal.jobs.work import Work


def fetch(work: Work, ledger: Ledger, route: Route, outcome: Outcome, *, how: Fetching) -> None:
    """Fetch all that is wanted, in the order of the names.

    Raises DeliveryError where the run cannot go on, LockedError where the server is locked.
    """
    with locked_line(route.server, dial=route.dial, lock=route.lock, spool=route.spool) as line:
        run = Run.of(work, ledger, route, outcome, line=line)
        again = _settle_left(run, how)
        found = wanted(run, how)
        _forget_gone(run, again, found)
        numbers = count()

        def fetch_file(hand: Run, file: RemoteFile) -> None:
            _tell(hand, next(numbers), len(found), message=file.name)
            _fetch_one(hand, file, again.get(file.name), how)

        side_by_side(run, found, fetch_file, connections=route.connections)
        _tell(run, len(found), len(found))


def _tell(run: Run, done: int, total: int, **more: str) -> None:
    with run.desk:
        run.work.progress(stage="Fetching", done=done, total=total, unit="files", **more)


def _settle_left(run: Run, how: Fetching) -> dict[str, Entry]:
    """End what an earlier run began with; returns what is to be fetched again."""
    again: dict[str, Entry] = {}
    for entry in run.ledger.open_entries():
        if entry.state is FileState.STORING:
            _settle_storing(run, entry, how)
        elif entry.state is FileState.STORED:
            _dispose(run, entry, how)
        else:
            again[entry.name] = entry
    return again


def _forget_gone(run: Run, again: dict[str, Entry], found: Sequence[RemoteFile]) -> None:
    """What was not whole here and is on the server no more is not to be had."""
    there = {file.name for file in found}
    for entry in again.values():
        if entry.name not in there:
            remove_arriving(run.spool, entry)
            gone = DeliveryError(Reason.NOT_FOUND, "The file was taken from the server.")
            run.ledger.fail(replace(entry, state=FileState.RETURNED), gone)


def _settle_storing(run: Run, entry: Entry, how: Fetching) -> None:
    try:
        _log_move(put_into_new(run.spool, entry))
    except ConflictError as error:  # it waits in 'tmp' until the earlier one was taken
        run.log(str(error))
        return
    _dispose(run, _noted(run, replace(entry, state=FileState.STORED)), how)


def _fetch_one(run: Run, file: RemoteFile, earlier: Entry | None, how: Fetching) -> None:
    """Try until it is here or given up for this run; a broken line is opened again."""
    if is_taken(run.spool, file.name):
        said = f"{file.name} stays on the server: 'new' still has an earlier file of that name."
        run.log(said)
        return
    arriving = Arriving(file=file, entry=_begun(run, file, earlier))
    for _ in count():
        try:
            run.beat()
            _step(run, arriving, how)
        except LostError:
            run.line.hang_up()
            run.losses += 1
            if run.losses >= LOSSES:
                raise
        except LockLostError:
            run.line.hang_up()
            raise
        except (DeliveryError, ConflictError) as fault:
            _fail(run, arriving, fault)
            return
        except BaseException:
            run.line.hang_up()
            raise
        else:
            run.losses = 0
            return


def _begun(run: Run, file: RemoteFile, earlier: Entry | None) -> Entry:
    """Its row. What an earlier attempt brought of this very file goes on under its own name."""
    entry = Entry(
        id=earlier.id if earlier is not None else 0,
        name=file.name,
        state=FileState.FETCHING,
        size=file.size,
        modified=file.modified,
        temporary=run.temporary(),
        tries=earlier.tries + 1 if earlier is not None else 1,
    )
    if earlier is None or not earlier.temporary:
        return entry
    if (earlier.size, earlier.modified) != (file.size, file.modified) or file.modified is None:
        remove_arriving(run.spool, earlier)
        return entry
    return replace(entry, temporary=earlier.temporary)


def _step(run: Run, arriving: Arriving, how: Fetching) -> None:
    """Go on from where it stands: safe here, or not yet."""
    if arriving.entry.state is not FileState.STORED:
        _download(run, arriving)
        _store(run, arriving)
    _dispose(run, arriving.entry, how)
    with run.desk:
        run.outcome.done += 1
        run.outcome.bytes += arriving.file.size


def _download(run: Run, arriving: Arriving) -> None:
    """Bring the file to `tmp`, whole and on the disk."""
    if not arriving.begun:
        arriving.entry = run.ledger.begin([arriving.entry])[0]
        arriving.begun = True
    file, remote = arriving.file, run.line.remote
    counted = Counted(
        also=lambda _size: run.checkpoint(), algorithm=remote.algorithm, expected=file.size
    )
    offset = _already_here(run, arriving, counted)
    with (
        run.moving(file.name, file.size, done=offset) as counted.also,
        open_arriving(run.spool, arriving.entry, goes_on=offset > 0) as stream,
    ):

        def write(block: bytes) -> None:
            with writing_here():
                stream.write(block)
            counted(block)

        remote.retrieve(file.name, told=write, offset=offset)
    _check_whole(run, arriving, counted)
    TRANSFER.debug("Downloaded file %s", file.name)
    arriving.entry = replace(arriving.entry, sha256=counted.sha256)


def _already_here(run: Run, arriving: Arriving, counted: Counted) -> int:
    """How much need not be fetched again; small pieces are."""
    size = size_here(run.spool, arriving.entry)
    known = arriving.file.modified is not None and run.line.remote.resumes
    if not known or not RESUME_FROM <= size <= arriving.file.size:
        remove_arriving(run.spool, arriving.entry)
        return 0
    read_arriving(run.spool, arriving.entry, counted)
    return counted.size


def _check_whole(run: Run, arriving: Arriving, counted: Counted) -> None:
    """All bytes are here, the server's sum is ours, and the file there did not change meanwhile."""
    file = arriving.file
    there = run.line.remote.find(file.name)
    sums = run.line.remote.sums({file.name: file.size})
    same = sums.get(file.name) in (None, counted.shared)
    if counted.size == file.size and there == file and same:
        return
    remove_arriving(run.spool, arriving.entry)
    raise DeliveryError(
        Reason.INTEGRITY,
        f"{file.name} changed while it was being fetched, or the server broke it off: "
        f"{counted.size} bytes came, {file.size} were expected. It stays on the server for the "
        "next run.",
    )


def _store(run: Run, arriving: Arriving) -> None:
    arriving.entry = _noted(run, replace(arriving.entry, state=FileState.STORING))
    _log_move(put_into_new(run.spool, arriving.entry))
    arriving.entry = _noted(run, replace(arriving.entry, state=FileState.STORED))


def _dispose(run: Run, entry: Entry, how: Fetching) -> None:
    """The file is safe here: remove it there, unless it is another one by now."""
    remote = run.line.remote
    there = remote.find(entry.name)
    same = there is not None and (there.size, there.modified) == (entry.size, entry.modified)
    if same and how.after is AfterFetch.REMOVE:
        _quietly(lambda: remote.remove(entry.name))
    elif same and how.after is AfterFetch.MOVE:
        target = _free_place(run, how.done_folder, entry.name)
        _quietly(lambda: remote.rename(entry.name, target))
    _noted(run, replace(entry, state=FileState.RECEIVED))


def _free_place(run: Run, folder: str, name: str) -> str:
    for number in count(1):
        place = f"{folder.strip('/')}/{numbered(name, number)}"
        if run.line.remote.find(place) is None:
            return place
    raise AssertionError("numbers have no end")


def _quietly(step: Callable[[], None]) -> None:
    """A file that is gone already needs nothing more."""
    try:
        step()
    except AbsentError:
        return


def _fail(run: Run, arriving: Arriving, fault: DeliveryError | ConflictError) -> None:
    """It stays on the server, for the next run; what concerns the server ends this one.

    A file that is safe here already stays so; the next run removes it there. What fails again and
    again is put aside: it is not fetched again before somebody says so.
    """
    reason = fault.reason if isinstance(fault, DeliveryError) else Reason.REFUSED_NAME
    told = fault if isinstance(fault, DeliveryError) else DeliveryError(reason, str(fault))
    entry, aside = arriving.entry, False
    if entry.state is not FileState.STORED:
        aside = is_given_up(reason, tries=entry.tries)
        remove_arriving(run.spool, entry)
        entry = replace(entry, state=FileState.QUARANTINED if aside else FileState.FAILED)
    run.ledger.fail(entry, told)
    with run.desk:
        run.outcome.quarantined += aside
        run.outcome.failed += not aside
    run.log(f"{entry.name}: {fault}")
    if POLICIES[reason].ends_run:
        raise told


def _noted(run: Run, entry: Entry) -> Entry:
    run.ledger.note([entry])
    return entry


def _log_move(moved: str) -> None:
    if moved:
        TRANSFER.info("Moved file %s from 'tmp' to 'new'", moved)
