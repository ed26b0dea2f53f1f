"""Where files come from that nobody sent: servers of the web, and other areas."""

from dataclasses import dataclass

from portal.artifacts.sources import NO_SOURCES, FileSources
from portal.imports.fetching import OPEN_NET, Trust


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Whom a fetch may talk to, and what other areas offer."""

    trust: Trust = OPEN_NET
    sources: FileSources = NO_SOURCES


NOTHING_OFFERED = Outside()
