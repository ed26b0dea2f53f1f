"""Which paths name a file that may be imported: those below a folder that the settings allow, and
https addresses of hosts that they allow. What other areas offer is theirs to allow.
"""

from pathlib import Path, PurePosixPath

from portal.errors import ForbiddenError
from portal.imports.addresses import check_address, is_address
from portal.imports.offered import is_offered, parse
from portal.settings import Settings


def check_path(settings: Settings, path: str) -> str:
    """The path, where it is one below an allowed folder, an allowed address, or names a file that
    another area may offer.

    Raises ForbiddenError, and InvalidError for what is no address.
    """
    if is_address(path):
        check_address(settings, path)
    elif is_offered(path):
        parse(path)
    else:
        place_of_path(settings, path)
    return path


def place_of_path(settings: Settings, path: str) -> tuple[Path, tuple[str, ...]]:
    """The allowed folder, and the names on the way from there; or ForbiddenError."""
    allowed, parts = place_of_folder(settings, path)
    if not parts:
        raise _foreign(path)
    return allowed, parts


def place_of_folder(settings: Settings, path: str) -> tuple[Path, tuple[str, ...]]:
    """As `place_of_path` for a folder, which may be an allowed one itself."""
    wanted = PurePosixPath(path)
    for allowed in settings.imports_folders:
        if wanted.is_relative_to(allowed):
            parts = wanted.relative_to(allowed).parts
            if ".." not in parts:
                return Path(allowed), parts
    raise _foreign(path)


def _foreign(path: str) -> ForbiddenError:
    return ForbiddenError(
        f"{path} is in no folder out of which files are imported (PORTAL_IMPORTS_FOLDERS)."
    )
