"""A process of its own that exports a project and prints the most memory it ever held, in bytes.

`python -m tests.projects.exporting PROJECT FOLDER`, with Portal's settings in the environment.
"""

import sys
from pathlib import Path

from portal.projects.exports import build_export
from portal.runtime import Runtime
from portal.settings import Settings
from tests.memory import peak_memory


def main(project_id: str, folder: str) -> None:
    runtime = Runtime.open(Settings.from_environment())
    build_export(project_id, folder=Path(folder), runtime=runtime)
    runtime.close()
    sys.stdout.write(str(peak_memory()))


if __name__ == "__main__":
    main(*sys.argv[1:])
