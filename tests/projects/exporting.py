"""A process of its own that exports a project and prints the most memory it ever held, in bytes.

`python -m tests.projects.exporting PROJECT FOLDER`, with Portal's settings in the environment.
"""

import resource
import sys
from pathlib import Path

from portal.projects.exports import build_export
from portal.runtime import Runtime
from portal.settings import Settings


def main(project_id: str, folder: str) -> None:
    runtime = Runtime.open(Settings.from_environment())
    build_export(project_id, folder=Path(folder), runtime=runtime)
    runtime.close()
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


if __name__ == "__main__":
    main(*sys.argv[1:])
