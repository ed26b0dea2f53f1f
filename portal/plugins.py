"""Processors that other packages bring, found by the entry-point group `portal.processors`.

A package that cannot be used is left out and said so; it never keeps the portal from starting.
"""

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions

from portal.accounts.permissions import Permission
from portal.errors import InvalidError
from portal.rows.processors import Mode, Processor
from portal.tabular.fields import Field

GROUP = "portal.processors"
FUNCTIONS = ("find", "create", "update", "remove")
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """An entry point that cannot be used, the package that has it, and why in words."""

    name: str
    package: str
    reason: str

    def __str__(self) -> str:
        whose = f"{self.name!r} of the package {self.package}"
        return f"The processor {whose} is left out: {self.reason.rstrip('.')}."


@dataclass(frozen=True, kw_only=True)
class Plugins:
    """What other packages bring: processors in the order of their packages, and what is broken."""

    processors: tuple[Processor, ...] = ()
    broken: tuple[Broken, ...] = ()


def load_plugins(*, taken: Collection[str], path: Sequence[str] | None = None) -> Plugins:
    """Load the processors of all packages on `path`, else of those on Python's own.

    A name in `taken`, or of an earlier package's processor, is refused.
    """
    owners = dict.fromkeys(taken, "Portal")
    processors: list[Processor] = []
    broken: list[Broken] = []
    for package, point in _entry_points(sys.path if path is None else path):
        try:
            processor = _loaded(point)
            _check_free(processor.name, owners)
        except InvalidError as fault:
            broken.append(Broken(name=point.name, package=package, reason=str(fault)))
        else:
            processors.append(processor)
            owners[processor.name] = package
    return Plugins(processors=tuple(processors), broken=tuple(broken))


def check_processor(processor: object) -> Processor:
    """Return `processor` if batches can be run with it; raise InvalidError otherwise."""
    if not isinstance(processor, Processor):
        raise InvalidError(f"it is no Processor, but of the type {type(processor).__name__}")
    faults = list(_faults(processor))
    if faults:
        raise InvalidError("; ".join(faults))
    return processor


def _entry_points(path: Sequence[str]) -> list[tuple[str, EntryPoint]]:
    """The group's entry points by package; of two copies of a package, that which Python finds."""
    found: dict[str, list[EntryPoint]] = {}
    for distribution in distributions(path=list(path)):
        points = distribution.entry_points.select(group=GROUP)
        if points and distribution.name not in found:
            found[distribution.name] = sorted(points, key=lambda point: point.name)
    return [(package, point) for package in sorted(found) for point in found[package]]


def _loaded(point: EntryPoint) -> Processor:
    try:
        return check_processor(point.load())
    except InvalidError:
        raise
    except (Exception, SystemExit) as fault:
        raise InvalidError(
            f"{point.value!r} cannot be loaded ({type(fault).__name__}: {fault})"
        ) from fault


def _check_free(name: str, owners: dict[str, str]) -> None:
    if name in owners:
        raise InvalidError(f"{owners[name]} has a processor called {name!r} already")


def _faults(processor: Processor) -> Iterator[str]:
    if not NAME.fullmatch(processor.name):
        yield (
            "its name has to be up to 64 small letters, digits, hyphens and underscores, "
            f"not {processor.name!r}"
        )
    yield from _field_faults(processor.fields)
    yield from _identity_faults(processor)
    if not processor.modes or not set(processor.modes) <= set(Mode):
        yield "it needs one of the modes create, update and remove"
    for name in FUNCTIONS:
        if not callable(getattr(processor.records, name, None)):
            yield f"its records have no function {name!r}"
    if processor.permission is not None and processor.permission not in set(Permission):
        yield f"{processor.permission!r} is no permission of Portal"


def _field_faults(declared: Sequence[Field]) -> Iterator[str]:
    if not declared:
        yield "it declares no field"
    if any(not isinstance(field, Field) for field in declared):
        yield "a field of it is no Field"
        return
    names = [field.name for field in declared]
    if "" in names or len(set(names)) < len(names):
        yield "each of its fields needs a name of its own"


def _identity_faults(processor: Processor) -> Iterator[str]:
    names = {field.name for field in processor.fields if isinstance(field, Field)}
    if not processor.identities or not all(processor.identities):
        yield "it does not say by which fields a record is found"
    for name in sorted({name for fields in processor.identities for name in fields} - names):
        yield f"its identity has {name!r}, which is no field"
