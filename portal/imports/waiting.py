"""Files that were sent by the pages: what is known of them until somebody says what they are for.

A file waits as long as those that nobody asks for do, also after it was tried out, so that it can
be asked for in another way.
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from portal.accounts.permissions import Actor
from portal.errors import NotFoundError
from portal.files import fsync_folder, write_private
from portal.imports.files import StoredFile, waiting_folder
from portal.settings import Settings

ABOUT = ".about"
GONE = "This file is not kept here any more; send it again."
_ID = re.compile(r"[0-9a-f]{32}")


def remember(settings: Settings, stored: StoredFile, *, actor: Actor) -> None:
    """Keep what is known of a stored file, and whose it is, beside it."""
    about = asdict(stored) | {"user": actor.user_id}
    write_private(_about(settings, stored.id), json.dumps(about).encode())


def find_waiting(settings: Settings, *, file_id: str, actor: Actor) -> StoredFile:
    """The file with this id that `actor` sent; raises NotFoundError where there is none (more)."""
    if not _ID.fullmatch(file_id) or not (waiting_folder(settings) / file_id).is_file():
        raise NotFoundError(GONE)
    try:
        about = json.loads(_about(settings, file_id).read_bytes())
    except FileNotFoundError:
        raise NotFoundError(GONE) from None
    if about.pop("user") != actor.user_id:
        raise NotFoundError(GONE)
    return StoredFile(**about)


def path_of(settings: Settings, stored: StoredFile) -> Path:
    """Where a waiting file lies."""
    return waiting_folder(settings) / stored.id


def lend(settings: Settings, stored: StoredFile, *, asked: Mapping[str, Any]) -> StoredFile:
    """The same file under a name of its own for the job that takes it, so that it goes on waiting.

    Who asks for the very same gets the same name. Raises NotFoundError where the file is gone.
    """
    told = json.dumps(asked, sort_keys=True).encode()
    lent = replace(stored, id=f"{stored.id}-{sha256(told).hexdigest()[:16]}")
    try:
        with contextlib.suppress(FileExistsError):
            os.link(path_of(settings, stored), path_of(settings, lent), follow_symlinks=False)
    except FileNotFoundError:
        raise NotFoundError(GONE) from None
    fsync_folder(waiting_folder(settings))
    return lent


def lender_of(source: str) -> str:
    """The id of the waiting file that was lent as `source`; empty where it was not lent."""
    file_id, sign, _ = source.partition("-")
    return file_id if sign else ""


def _about(settings: Settings, file_id: str) -> Path:
    return waiting_folder(settings) / f"{file_id}{ABOUT}"
