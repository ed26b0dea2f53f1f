"""How much memory this process held at most.

Not `ru_maxrss`: a program inherits that peak from the process that started it.
"""

import re
from pathlib import Path


def peak_memory() -> int:
    """The largest resident size since the program was started, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
