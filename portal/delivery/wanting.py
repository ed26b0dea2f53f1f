"""Which files of a server a run fetches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from portal.delivery.faults import DeliveryError, Reason
from portal.delivery.ledger import Entry
from portal.delivery.names import LOCKS, TEMPORARY, check_spool_name, kept_name
from portal.delivery.remote import RemoteFile
from portal.delivery.run import Run
from portal.delivery.states import AfterFetch, FileState
from portal.errors import InvalidError


@dataclass(frozen=True, kw_only=True)
class Fetching:
    """Which files are wanted, and what becomes of them on the server afterwards."""

    wants: Callable[[str], bool]
    after: AfterFetch
    done_folder: str = ""


def wanted(run: Run, how: Fetching) -> list[RemoteFile]:
    """What is to be fetched, by name; files with refused names are put aside, and stay there."""
    found, refused = [], {}
    for file in run.line.remote.files():
        if file.name in LOCKS or file.name.startswith(TEMPORARY) or not how.wants(file.name):
            continue
        try:
            check_spool_name(file.name)
        except InvalidError as error:
            refused[file] = str(error)
        else:
            found.append(file)
    _put_aside(run, refused)
    left = _without(run, found, FileState.QUARANTINED)
    return _without(run, left, FileState.RECEIVED) if how.after is AfterFetch.KEEP else left


def _without(run: Run, files: Sequence[RemoteFile], state: FileState) -> list[RemoteFile]:
    """Those of which no earlier run said this; another size or time makes it another file."""
    known = _known(run, [file.name for file in files], state)
    return [file for file in files if (file.name, file.size, file.modified) not in known]


def _known(run: Run, names: Sequence[str], state: FileState) -> set[tuple[str, int, object]]:
    return {(row.name, row.size, row.modified) for row in run.ledger.ended(names, state)}


def _put_aside(run: Run, refused: dict[RemoteFile, str]) -> None:
    names = {file: kept_name(file.name) for file in refused}
    known = _known(run, list(names.values()), FileState.QUARANTINED)
    for file, why in refused.items():
        name = names[file]
        if (name, file.size, file.modified) in known:
            continue
        entry = Entry(
            id=0,
            name=name,
            state=FileState.QUARANTINED,
            size=file.size,
            modified=file.modified,
        )
        fault = DeliveryError(Reason.REFUSED_NAME, f"{file.name!r} stays on the server. {why}")
        run.ledger.fail(run.ledger.begin([entry])[0], fault)
        run.log(str(fault))
        with run.desk:
            run.outcome.quarantined += 1
