"""A file on its way to a server: uploaded aside, compared, renamed over the target.

After a broken line or a crash the server is looked at first; what may have been taken there already
is never sent again by itself.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from portal.delivery.counting import Counted
from portal.delivery.faults import DeliveryError, LostError, Reason
from portal.delivery.ledger import Entry, Ledger
from portal.delivery.outbox import Waiting, check_unchanged, open_waiting
from portal.delivery.recovering import Next, Seen, decide
from portal.delivery.remote import BLOCK, RESUME_FROM, Remote, RenameRefusedError, discard
from portal.delivery.run import Run
from portal.delivery.spool import Spool
from portal.delivery.states import FileState

TAIL = 64 * 1024


class UncertainError(DeliveryError):
    """The file may have been delivered and taken; a person has to decide."""


@dataclass
class Parcel:
    """A file of the spool, its row, and what is next. `step` None: the server must be looked at.

    `delivered` is what the server confirmed; `ended` says that the ledger and the spool know too.
    `left`: how much of it an earlier attempt brought there. `shared_sum` is what the server may
    tell of it, too.
    """

    item: Waiting
    entry: Entry
    temporary: str
    step: Next | None = Next.SEND
    delivered: bool = False
    ended: bool = False
    given_up: bool = False
    left: int | None = None
    shared_sum: str = ""

    @property
    def pending(self) -> bool:
        """Whether this run has still something to do with it."""
        return not (self.delivered or self.given_up)

    def begun(self) -> Entry:
        """The row as it is when the upload begins."""
        return Entry(
            id=self.entry.id,
            name=self.item.name,
            state=FileState.SENDING,
            size=self.item.size,
            identity=self.item.identity,
            temporary=self.temporary,
            tries=self.entry.tries,
        )

    def came_to(self, state: FileState) -> None:
        """Say what is done next; the ledger is told by who calls."""
        self.entry = replace(self.entry, state=state)


def look(remote: Remote, parcels: Sequence[Parcel]) -> None:
    """Find out what is next with files that an earlier attempt was busy with; one question."""
    for parcel, (step, left) in zip(
        parcels, look_for(remote, [parcel.entry for parcel in parcels]), strict=True
    ):
        parcel.step, parcel.left = step, left


def look_for(remote: Remote, entries: Sequence[Entry]) -> list[tuple[Next, int | None]]:
    """What is next with each, and how much of it lies there under its temporary name."""
    begun = [entry for entry in entries if entry.temporary]
    names = [name for entry in begun for name in (entry.temporary, entry.name, entry.backup)]
    sizes = remote.sizes(names) if names else {}
    return [(_next(entry, sizes), sizes.get(entry.temporary)) for entry in entries]


def _next(entry: Entry, sizes: dict[str, int]) -> Next:
    known = sizes if entry.temporary else {}
    seen = Seen(
        temporary=known.get(entry.temporary),
        target=known.get(entry.name),
        backup=known.get(entry.backup),
    )
    return decide(entry.state, seen, size=entry.size)


def take_over(remote: Remote, parcel: Parcel, *, spool: Spool) -> int:
    """How much of the file an earlier attempt brought there, now under the parcel's own name."""
    earlier, size = parcel.entry.temporary, parcel.left
    if size is None:
        return 0
    parcel.left = None
    if not _goes_on(remote, parcel, size) or not _same_end(remote, parcel, size, spool=spool):
        if earlier != parcel.temporary:
            discard(remote, earlier)
        return 0
    if earlier != parcel.temporary:
        remote.rename(earlier, parcel.temporary)
    return size


def _goes_on(remote: Remote, parcel: Parcel, size: int) -> bool:
    """Whether what is there is the beginning of this very file, and worth going on with."""
    same = parcel.entry.identity == parcel.item.identity
    if parcel.entry.state is not FileState.SENDING or not same or not remote.resumes:
        return False
    return RESUME_FROM <= size <= parcel.item.size


def _same_end(remote: Remote, parcel: Parcel, size: int, *, spool: Spool) -> bool:
    """Whether the last bytes there are those of the file: a server that fell may have lost them."""
    there: list[bytes] = []
    start = size - TAIL
    try:
        remote.retrieve(parcel.entry.temporary, told=there.append, offset=start)
        with open_waiting(spool, parcel.item) as stream:
            stream.seek(start)
            return stream.read(TAIL) == b"".join(there)
    except LostError:
        raise
    except DeliveryError:  # what may be written need not be readable; nor does it wait for ever
        return False


def upload(run: Run, parcel: Parcel, *, told: Callable[[int], None], offset: int) -> None:
    """Write the file under its temporary name, from `offset` on."""
    counted = Counted(
        also=lambda _size: run.checkpoint(),
        algorithm=run.line.remote.algorithm,
        expected=parcel.item.size,
    )
    with open_waiting(run.spool, parcel.item) as stream:
        while counted.size < offset:
            counted(stream.read(min(BLOCK, offset - counted.size)))
        counted.also = told
        run.line.remote.store(
            parcel.temporary, run.pace.reading(stream), told=counted, offset=offset
        )
        check_unchanged(stream, parcel.item)
    parcel.entry = replace(parcel.entry, sha256=counted.sha256)
    parcel.shared_sum = counted.shared


def check_whole(parcel: Parcel, there: int | None, shared_sum: str | None) -> None:
    """Raise DeliveryError unless the server has all bytes, and the same, as far as it tells."""
    if there == parcel.item.size:
        if shared_sum in (None, parcel.shared_sum):
            return
        raise DeliveryError(
            Reason.INTEGRITY,
            f"The server has {parcel.item.name} with another content than it was sent.",
        )
    has = "no file" if there is None else f"{there} bytes"
    raise DeliveryError(
        Reason.INTEGRITY,
        f"Of {parcel.item.name} ({parcel.item.size} bytes) the server has {has}, though it said "
        "that all went well.",
    )


def replace_target(remote: Remote, parcel: Parcel, ledger: Ledger) -> None:
    """For servers that rename over nothing: the old file keeps a name until the new one is there.

    Raises RenameRefusedError where no file stands there, so that this is not why it was refused.
    """
    if remote.find(parcel.entry.name) is None:
        raise RenameRefusedError(f"The server refuses to rename a file to {parcel.entry.name!r}.")
    parcel.came_to(FileState.REPLACING)
    ledger.note([parcel.entry])
    remote.rename(parcel.entry.name, parcel.entry.backup)
    try:
        publish(remote, parcel.entry)
    except RenameRefusedError:
        remote.rename(parcel.entry.backup, parcel.entry.name)
        raise


def publish(remote: Remote, entry: Entry) -> None:
    """Give the new file its name, and remove what stood there before."""
    remote.rename(entry.temporary, entry.name)
    discard(remote, entry.backup)


def compare(remote: Remote, entry: Entry) -> None:
    """Read the target back: has it our bytes, it was delivered. Raises UncertainError."""
    digest = hashlib.sha256()
    try:
        remote.retrieve(entry.name, told=digest.update)
    except LostError:
        raise
    except DeliveryError as fault:
        raise uncertain(entry) from fault
    if digest.hexdigest() != entry.sha256:
        raise uncertain(entry)
    if entry.state is FileState.REPLACING:
        discard(remote, entry.backup)


def uncertain(entry: Entry) -> UncertainError:
    """What a person is told who has to decide."""
    return UncertainError(
        Reason.INTEGRITY,
        f"The connection ended while {entry.name} was being renamed, and the server no longer has "
        "it as it was sent. It was delivered and taken, or it was lost: ask the receiver, then "
        "count it as delivered or send it again.",
    )
