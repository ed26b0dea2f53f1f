"""Run a batch and print the most memory that this process held: `… FOLDER PROCESSOR TASK ROWS`.

TASK is `run`, `plan` (a dry run) or `undo`.
"""

import sys
from pathlib import Path

from portal.migrations.run import upgrade
from portal.runtime import Runtime
from portal.settings import Settings
from tests.memory import peak_memory
from tests.rows.batches import Batches, content
from tests.rows.people import NAMES, person


def main(folder: Path, processor: str, task: str, rows: int) -> None:
    runtime = Runtime.open(Settings(data=folder, redis_url=f"unix://{folder}/none"))
    upgrade(runtime.engine)
    batches = Batches(runtime, folder, processor)
    path = folder / "source.csv"
    with path.open("wb") as stream:
        stream.write(content([]))
        for number in range(rows):
            age = "x" if number % 100 == 0 else "5"
            stream.write(content([person(number, age=age)], header=NAMES).partition(b"\r\n")[2])
    batch = batches.run(batches.make(order=batches.order_of(path, dry_run=task == "plan")))
    assert batch.counts.created + batch.counts.failed == rows
    if task == "undo":
        assert batches.undo(batch.id).undone == batch.counts.created
    sys.stdout.write(str(peak_memory()))
    runtime.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
