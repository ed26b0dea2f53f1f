"""The worker of the bench of deliveries: `python -m bench.delivery_worker FOLDER JOB REDIS`.

It loads what a worker loads and nothing else, so that its memory is that of a worker.
"""

import json
import sys
import time
from pathlib import Path

from sqlalchemy.orm import configure_mappers

from portal.assembly import open_job_engine
from portal.jobs import runner
from portal.settings import Settings
from tests.memory import peak_memory


def settings_of(folder: Path, redis_url: str) -> Settings:
    """The portal of a folder."""
    return Settings(data=folder, redis_url=redis_url)


def main(folder: str, job_id: str, redis_url: str) -> None:
    """Do the job; print the seconds that it took, and the MB that it took besides the worker's."""
    engine = open_job_engine(settings_of(Path(folder), redis_url))
    configure_mappers()  # a worker that runs has done so
    before = peak_memory()
    started = time.perf_counter()
    runner.perform(job_id, engine=engine)
    engine.runtime.close()
    print(json.dumps([time.perf_counter() - started, (peak_memory() - before) / 2**20]))


if __name__ == "__main__":
    main(*sys.argv[1:])
