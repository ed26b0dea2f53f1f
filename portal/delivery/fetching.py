"""Fetching what lies on a server into a spool. Nothing is removed there before it is safe here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from portal.delivery.connecting import locked_line
from portal.delivery.faults import AbsentError, DeliveryError, LostError, Reason
from portal.delivery.inbox import Arriving, is_taken, open_arriving, put_into_new, remove_arriving
from portal.delivery.ledger import Entry, Ledger
from portal.delivery.names import LOCKS, TEMPORARY, check_spool_name, numbered
from portal.delivery.outbox import Counted
from portal.delivery.policies import POLICIES
from portal.delivery.remote import RemoteFile
from portal.delivery.remote_lock import LockLostError
from portal.delivery.run import LOSSES, Outcome, Route, Run
from portal.delivery.side_by_side import side_by_side
from portal.delivery.states import AfterFetch, FileState
from portal.delivery.transfer_log import TRANSFER
from portal.errors import ConflictError, InvalidError
from portal.jobs.work import Work


@dataclass(frozen=True, kw_only=True)
class Fetching:
    """Which files are wanted, and what becomes of them on the server afterwards."""

    wants: Callable[[str], bool]
    after: AfterFetch
    done_folder: str = ""


def fetch(work: Work, ledger: Ledger, route: Route, outcome: Outcome, *, how: Fetching) -> None:
    """Fetch all that is wanted, in the order of the names.

    Raises DeliveryError where the run cannot go on, LockedError where the server is locked.
    """
    with locked_line(route.server, dial=route.dial, lock=route.lock, spool=route.spool) as line:
        run = Run.of(work, ledger, route, outcome, line=line)
        again = _settle_left(run, how)
        found = _wanted(run, how)
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
            remove_arriving(run.spool, entry)
            again[entry.name] = entry
    return again


def _settle_storing(run: Run, entry: Entry, how: Fetching) -> None:
    try:
        _log_move(put_into_new(run.spool, entry))
    except ConflictError as error:  # it waits in 'tmp' until the earlier one was taken
        run.log(str(error))
        return
    _dispose(run, _noted(run, replace(entry, state=FileState.STORED)), how)


def _wanted(run: Run, how: Fetching) -> list[RemoteFile]:
    """What is to be fetched; refused names are told and stay where they are."""
    found = []
    for file in run.line.remote.files():
        if file.name in LOCKS or file.name.startswith(TEMPORARY) or not how.wants(file.name):
            continue
        try:
            check_spool_name(file.name)
        except InvalidError as error:
            run.log(f"{file.name!r} stays on the server. {error}")
            run.outcome.failed += 1
            continue
        found.append(file)
    return _not_remembered(run, found) if how.after is AfterFetch.KEEP else found


def _not_remembered(run: Run, files: list[RemoteFile]) -> list[RemoteFile]:
    known = {
        (entry.name, entry.size, entry.modified)
        for entry in run.ledger.ended([file.name for file in files], FileState.RECEIVED)
    }
    return [file for file in files if (file.name, file.size, file.modified) not in known]


def _fetch_one(run: Run, file: RemoteFile, earlier: Entry | None, how: Fetching) -> None:
    """Try until it is here or given up for this run; a broken line is opened again."""
    if is_taken(run.spool, file.name):
        said = f"{file.name} stays on the server: 'new' still has an earlier file of that name."
        run.log(said)
        return
    arriving = Arriving(file=file, entry=_blank(run, file, earlier))
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


def _blank(run: Run, file: RemoteFile, earlier: Entry | None) -> Entry:
    return Entry(
        id=earlier.id if earlier is not None else 0,
        name=file.name,
        state=FileState.FETCHING,
        size=file.size,
        modified=file.modified,
        temporary=run.temporary(),
        tries=earlier.tries + 1 if earlier is not None else 1,
    )


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
    remove_arriving(run.spool, arriving.entry)
    file = arriving.file
    with (
        run.moving(file.name, file.size) as told,
        open_arriving(run.spool, arriving.entry) as stream,
    ):
        counted = Counted(also=told)

        def write(block: bytes) -> None:
            stream.write(block)
            counted(block)

        run.line.remote.retrieve(file.name, told=write)
    _check_whole(run, arriving, counted)
    TRANSFER.debug("Downloaded file %s", arriving.file.name)
    arriving.entry = replace(arriving.entry, sha256=counted.sha256)


def _check_whole(run: Run, arriving: Arriving, counted: Counted) -> None:
    """All bytes are here, and the file on the server did not change meanwhile."""
    there = run.line.remote.find(arriving.file.name)
    if counted.size == arriving.file.size and there == arriving.file:
        return
    name, size = arriving.file.name, arriving.file.size
    raise DeliveryError(
        Reason.INTEGRITY,
        f"{name} changed while it was being fetched, or the server broke it off: {counted.size} "
        f"bytes came, {size} were expected. It stays on the server for the next run.",
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

    A file that is safe here already stays so; the next run removes it there.
    """
    reason = fault.reason if isinstance(fault, DeliveryError) else Reason.REFUSED_NAME
    told = fault if isinstance(fault, DeliveryError) else DeliveryError(reason, str(fault))
    entry = arriving.entry
    if entry.state is not FileState.STORED:
        remove_arriving(run.spool, entry)
        entry = replace(entry, state=FileState.FAILED)
    run.ledger.fail(entry, told)
    with run.desk:
        run.outcome.failed += 1
    run.log(f"{entry.name}: {fault}")
    if POLICIES[reason].ends_run:
        raise told


def _noted(run: Run, entry: Entry) -> Entry:
    run.ledger.note([entry])
    return entry


def _log_move(moved: str) -> None:
    if moved:
        TRANSFER.info("Moved file %s from 'tmp' to 'new'", moved)
