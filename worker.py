"""Listen on one queue: `python worker.py QUEUE`. No Flask."""

import sys

from portal.assembly import open_job_engine
from portal.jobs.worker import serve
from portal.logs import configure_logging
from portal.settings import Settings

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: worker.py QUEUE (one queue per worker)")
    settings = Settings.from_environment()
    configure_logging(settings)
    serve(open_job_engine(settings), sys.argv[1])
