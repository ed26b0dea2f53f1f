"""Packages that bring processors: can each be used?"""

from collections.abc import Iterator

from portal.checks.finding import Finding, error
from portal.plugins import Plugins


def check_plugins(plugins: Plugins) -> Iterator[Finding]:
    """Findings about what was left out."""
    for broken in plugins.broken:
        yield error(
            str(broken),
            f"Mend, update or remove {broken.package} (docs/processors.md), then restart Portal.",
        )
