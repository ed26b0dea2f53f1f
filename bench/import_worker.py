"""The worker of the bench of imports: `python -m bench.import_worker FOLDER` prints what it took.

It loads what a worker loads and nothing else, so that its memory is that of a worker.
"""

import json
import sys
import time
from pathlib import Path

from portal.assembly import open_job_engine
from portal.jobs import runner
from portal.settings import Settings
from tests.memory import peak_memory

UPLOAD_MB = 100_000


def settings_of(folder: Path) -> Settings:
    """The portal of a folder, which takes files of any size."""
    return Settings(
        data=folder,
        tables_url=(folder / "url").read_text(),
        upload_limit_mb=UPLOAD_MB,
        imports_quota_mb=UPLOAD_MB,
    )


def perform(folder: Path) -> None:
    """Do the job that was asked for there."""
    engine = open_job_engine(settings_of(folder))
    runner.perform((folder / "job").read_text(), engine=engine)
    engine.runtime.close()


def main(folder: Path) -> None:
    """Perform, and print the seconds and the peak of memory in MB."""
    started = time.perf_counter()
    perform(folder)
    print(json.dumps([time.perf_counter() - started, peak_memory() / 2**20]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
