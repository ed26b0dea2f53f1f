"""What a worker does to fetch a file that waits afterwards, as one that was sent does."""

from typing import Any

from portal.imports.fetching import OPEN_NET, Trust, arriving
from portal.imports.files import store_file
from portal.imports.fitting import check_ending
from portal.imports.waiting import remember
from portal.jobs.work import Work

STAGE = "Fetching the file"


def fetch_file(work: Work, *, address: str, trust: Trust = OPEN_NET, **_about: Any) -> None:
    """Keep the file at `address` for who asked for it. Raises as `arriving` and `store_file`.

    An attempt that is cut short leaves at most a file that nobody asks for, which is swept.
    """

    def told(arrived: int) -> None:
        work.progress(stage=STAGE, done=arrived, total=coming.size, unit="bytes")
        work.checkpoint()

    runtime, actor = work.runtime, work.actor
    with arriving(runtime.settings, address, told=told, trust=trust) as coming:
        check_ending(coming.name)
        stored = store_file(runtime, stream=coming, name=coming.name, actor=actor)
    remember(runtime.settings, stored, actor=actor)
    with work.completion({"file": stored.id, "name": stored.name, "size": stored.size}):
        pass
