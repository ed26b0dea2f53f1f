"""Functions of modules that are loaded when one is first called: for what few processes ever do.

A worker keeps what it has loaded for as long as it lives, and so does each of its jobs. A library
that one kind of job needs is therefore named here by its user instead of being imported:

    if TYPE_CHECKING:
        from portal.tables.workbook import write_workbook
    else:
        write_workbook = later("portal.tables.workbook:write_workbook")

The import that only the type checker sees keeps the name, the types and the order of the rooms
checked.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(name: str) -> Callable[..., Any]:
    """Return what calls the function `name` (`module:function`) when it is called itself."""
    module, _, function = name.partition(":")

    def call(*given: Any, **named: Any) -> Any:
        return getattr(import_module(module), function)(*given, **named)

    return call
