"""Opening a stored file: itself, never what a link at its place points to."""

import errno
import os
import stat
from pathlib import Path
from typing import IO

from portal.tabular.table import TableError

LINK = "The file is a link to another place. Portal reads files that lie here themselves."
NO_FILE = "This is no file that could be read, but a folder or a device."


def open_stored(path: Path) -> IO[bytes]:
    """The bytes of the regular file at `path`, without a buffer.

    Raises TableError for a link, a folder, a pipe or a device, and FileNotFoundError. It never
    waits for the other end of a pipe.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise TableError(LINK) from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise TableError(NO_FILE)
    return os.fdopen(handle, "rb", 0)
