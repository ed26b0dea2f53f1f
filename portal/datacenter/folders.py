"""The data centre: a folder of files that wait, and five for what became of files."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from portal.accounts.permissions import SYSTEM, Actor
from portal.datacenter import disk
from portal.datacenter.carrying import Mark, carry_out
from portal.datacenter.disk import Entry, has_settled
from portal.datacenter.intents import Intents, Standing
from portal.datacenter.moving import merge
from portal.datacenter.names import FINISHED, is_data, is_safe, is_text, shown_name
from portal.datacenter.place import checked_place
from portal.datacenter.results import Distributed, Results, forget_leftovers, intend
from portal.datacenter.steps import Folder, Intent, Kind
from portal.errors import NotFoundError, PortalError

EVERYTHING = "*"
FINISHED_SHOWN = 100
KILOBYTE = 1024


@dataclass(frozen=True, kw_only=True)
class DataCenterFile:
    """A file with its facts as texts for pages."""

    entry: Entry
    zone: tzinfo
    long_names: Mapping[str, str]

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.entry.path

    @property
    def name(self) -> str:
        """Its name on disk, by which it is found again."""
        return self.entry.name

    @property
    def shown(self) -> str:
        """Its name as people know it, and as it is downloaded."""
        return shown_name(self.entry.name, self.long_names)

    @property
    def changed(self) -> datetime:
        """When it was last changed."""
        return datetime.fromtimestamp(self.entry.mtime_ns / 1e9, tz=self.zone)

    def get_size(self) -> str:
        """The size: `13 bytes`, from 1024 on with two digits as kb, MB or GB."""
        return readable_size(self.entry.size)

    def get_date(self) -> str:
        """When it was last changed, as YYYY-MM-DD HH:MM:SS in the portal's zone."""
        return self.changed.strftime("%Y-%m-%d %H:%M:%S")


def readable_size(size: int) -> str:
    """A size for people: `13 bytes`, from 1024 on with two digits as kb, MB or GB."""
    if size < KILOBYTE:
        return f"{size} bytes"
    for unit, bytes_in_unit in (("kb", KILOBYTE), ("MB", KILOBYTE**2)):
        if size < bytes_in_unit * KILOBYTE:
            return f"{size / bytes_in_unit:.2f} {unit}"
    return f"{size / KILOBYTE**3:.2f} GB"


class DataCenter:
    """A storage and what is done with its files. Where a file is, only its folder says.

    A file that Portal did not bring itself is seen once it has stood still for `settle_seconds`;
    `known` tells the names of those that are known already. `mark` is told of each point at which
    a crash can be tried. A storage that is not `there` can only be left for another.
    """

    def __init__(
        self,
        storage: Path,
        *,
        intents: Intents,
        clock: Callable[[], datetime],
        zone: tzinfo = UTC,
        settle_seconds: float = 0.0,
        known: Callable[[Sequence[Entry]], Collection[str]] = lambda _found: (),
        long_names: Mapping[str, str] = MappingProxyType({}),
        reserved: Path | None = None,
        mark: Mark = lambda _point: None,
        there: bool = True,
    ) -> None:
        self.storage = storage
        self._intents = intents
        self._clock = clock
        self._zone = zone
        self._settle_seconds = settle_seconds
        self._known = known
        self._long_names = long_names
        self._reserved = reserved
        self._mark = mark
        if there:
            disk.make_folders(storage)

    @property
    def deleted_path(self) -> Path:
        """Where removed records are backed up."""
        return self.storage / Folder.DELETED

    @property
    def graduated_path(self) -> Path:
        """Where records are backed up that were removed because they graduated."""
        return self.storage / Folder.GRADUATED

    @property
    def logs_path(self) -> Path:
        """Where the logs of processing lie."""
        return self.storage / Folder.LOGS

    def get_pending_files(self, *, newest_first: bool = False) -> list[DataCenterFile]:
        """The files that wait to be processed, by name or by date."""
        found = [entry for entry in disk.entries(self.storage) if is_data(entry.name)]
        safe = [entry for entry in found if is_safe(entry.name)]
        known = self._known(safe) if self._settle_seconds else ()
        seen = [entry for entry in safe if entry.name in known or self._has_settled(entry)]
        return self._files(sorted(seen, key=_age) if newest_first else seen)

    def get_finished_files(self, *, limit: int = FINISHED_SHOWN) -> list[DataCenterFile]:
        """The files of good rows, the newest first."""
        found = disk.entries(self.storage / Folder.FINISHED)
        finished = [one for one in found if one.name.endswith(FINISHED) and is_text(one.name)]
        return self._files(sorted(finished, key=_age)[:limit])

    def get_files(self, folder: Folder) -> list[DataCenterFile]:
        """All files of one folder by name, but for those on their way or with a name of no text."""
        if folder is Folder.ROOT:
            return self.get_pending_files()
        found = disk.entries(self.storage / folder)
        return self._files(entry for entry in found if is_text(entry.name))

    def get_file(self, name: str, folder: Folder = Folder.ROOT) -> DataCenterFile:
        """The file whose name on disk this is; raises NotFoundError where none lies there."""
        for file in self.get_files(folder):
            if file.name == name:
                return file
        raise NotFoundError(f"There is no file {shown_name(name)} here.")

    def set_storage_path(
        self,
        path: Path,
        *,
        move: bool = False,
        overwrite: bool = False,
        actor: Actor = SYSTEM,
        address: str = "",
    ) -> list[str]:
        """Use another folder, with all files of this one if `move`; returns those that stayed.

        The five folders are merged. `overwrite` puts files in the place of others of their name.
        Raises InvalidError for an unfit folder, ConflictError while files are worked on.
        """
        new = checked_place(path, current=self.storage, reserved=self._reserved)
        disk.make_folders(new)
        if new.resolve() == self.storage.resolve():
            return []
        intent_id = uuid4().hex
        wanted = {"old": str(self.storage), "new": str(new), "move": move, "overwrite": overwrite}
        standing = self._intents.open(
            Intent(
                id=intent_id,
                occasion=intent_id,
                kind=Kind.STORAGE,
                subject=EVERYTHING,
                detail=wanted,
                action="datacenter.move",
                about=str(new),
                actor=actor,
                address=address,
            )
        )
        self.storage = new
        return list(self._finish(standing)["left"])

    def dist_processed_files(
        self,
        ok: bool,
        source: Path,
        finished: Path | None,
        pending: Path | None,
        *,
        mode: str = "create",
        copy: Path | None = None,
        occasion: str = "",
        actor: Actor = SYSTEM,
    ) -> Distributed:
        """Put the files of a run where they belong, once for each `occasion`.

        `source` lies in the storage's root; `copy` is what was read of it, used where `source` has
        changed since. `finished` and `pending`, good and failed rows, go from where they are, and
        their folder with them once it is empty. A run is `ok` where no row is pending.
        """
        if ok is not (pending is None):
            raise ValueError("a run has pending rows exactly where it did not go well")
        results = Results(
            source=source, finished=finished, pending=pending, mode=mode, copy=copy, actor=actor
        )
        known = self._intents.find(occasion) if occasion else None
        standing = self._taken(known) if known else self._intended(results, occasion)
        return Distributed(**(standing.result or self._finish(standing)))

    def resume(self, intent_id: str) -> None:
        """Finish what another process intended and did not come to do."""
        self._finish(self._intents.take(intent_id))

    def carry(self, standing: Standing) -> None:
        """Carry out an intent that was opened elsewhere."""
        self._finish(standing)

    def _intended(self, results: Results, occasion: str) -> Standing:
        intent_id = uuid4().hex
        disk.make_folders(self.storage)
        try:
            intent = intend(
                self.storage, results, intent_id=intent_id, occasion=occasion or intent_id
            )
            self._mark("planned")
            standing = self._intents.open(intent)
        except (PortalError, OSError):  # of other errors nobody knows whether the intent stands
            disk.drop_workspace(self.storage, intent_id)
            raise
        if standing.intent.id != intent_id:
            disk.drop_workspace(self.storage, intent_id)
            return self._taken(standing)
        self._mark("intended")
        return standing

    def _taken(self, standing: Standing) -> Standing:
        """What another process intends for the same occasion, taken on unless it is done."""
        return standing if standing.result else self._intents.take(standing.intent.id)

    def _finish(self, standing: Standing) -> dict[str, Any]:
        intent = standing.intent
        if intent.kind is Kind.STORAGE:
            result = {"left": self._merge(intent)}
        else:
            fence = partial(self._intents.keep, standing)
            missed = carry_out(self.storage, intent, fence=fence, mark=self._mark)
            forget_leftovers(intent.detail.get("leftovers", []), storage=self.storage)
            result = intent.detail.get("where", {}) | ({"missed": missed} if missed else {})
        self._mark("carried")
        self._intents.done(standing, result)
        self._mark("done")
        return result

    def _merge(self, intent: Intent) -> list[str]:
        wanted = intent.detail
        if not wanted["move"]:
            return []
        return merge(
            Path(wanted["old"]),
            Path(wanted["new"]),
            overwrite=wanted["overwrite"],
            workspace=intent.id,
            mark=self._mark,
        )

    def _files(self, found: Iterable[Entry]) -> list[DataCenterFile]:
        return [
            DataCenterFile(entry=entry, zone=self._zone, long_names=self._long_names)
            for entry in found
        ]

    def _has_settled(self, entry: Entry) -> bool:
        return has_settled(entry, now=self._clock(), seconds=self._settle_seconds)


def _age(entry: Entry) -> tuple[int, str]:
    return (-entry.mtime_ns, entry.name)
