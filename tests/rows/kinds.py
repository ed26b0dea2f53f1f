"""Jobs that do and undo batches of people."""

import os
from pathlib import Path

from portal.jobs.kinds import BULK, Kind, Kinds
from portal.rows.engine import run_batch
from portal.rows.images import image_of
from portal.rows.redo import redo_batch
from portal.rows.undo import undo_batch
from tests.rows.people import PROCESSORS


def backup_path(batch_id: str, data: Path) -> Path:
    return data / f"removed-{batch_id}.txt"


def keeping(path: Path):
    """A line per removed record, fsynced and read back."""

    def keep(records, *, at):
        lines = "".join(f"{image_of(record.values)}\n" for record in records).encode()
        with open(path, "ab") as stream:
            stream.truncate(at)
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())
        assert path.read_bytes()[at:] == lines
        return at + len(lines)

    return keep


def run(work, *, batch_id):
    path = backup_path(batch_id, work.runtime.settings.data)
    done = run_batch(work, batch_id=batch_id, processors=PROCESSORS, keep_removed=keeping(path))
    return {"state": str(done.state), "counts": done.counts.as_json()}


def undo(work, *, batch_id):
    done = undo_batch(work, batch_id=batch_id, processors=PROCESSORS)
    return {"undone": done.undone, "kept": done.kept}


def redo(work, *, batch_id):
    done = redo_batch(work, batch_id=batch_id, processors=PROCESSORS)
    return {"state": str(done.state), "counts": done.counts.as_json()}


def kind_of(name, task):
    return Kind(
        name=f"rows.{name}",
        area="test",
        label=name,
        queue=BULK,
        run=task,
        may_view=lambda _session, _actor, _job: True,
        may_run=lambda _session, actor, _args: actor.enabled,
    )


KINDS = Kinds((kind_of("run", run), kind_of("undo", undo), kind_of("redo", redo)))
