"""A process whose children distribute and die: `python -m tests.datacenter.dying`.

Each line on stdin is an order: a child is forked, distributes the files, and kills itself at the
point `die_at`. The answer is its exit status. One start of Python serves many deaths.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from portal.datacenter.service import open_data_center
from portal.runtime import Runtime
from portal.settings import Settings


def distribute(order: dict[str, Any]) -> None:
    def mark(point: str) -> None:
        if point == order["die_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    runtime = Runtime.open(Settings.from_environment())
    center = open_data_center(runtime, mark=mark)
    center.dist_processed_files(
        order["ok"],
        Path(order["source"]),
        Path(order["finished"]),
        Path(order["pending"]) if order["pending"] else None,
        mode=order["mode"],
        occasion=order["occasion"],
    )


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            distribute(json.loads(line))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()
