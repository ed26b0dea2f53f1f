"""Whether the columns of a file are enough for a batch, and each there once."""

from collections.abc import Sequence

from portal.tabular.fields import Field
from portal.tabular.markers import is_no_field

DOUBLE = "Double headers: each column name may only appear once."


def check(
    columns: Sequence[str | None],
    fields: Sequence[Field],
    identities: Sequence[Sequence[str]],
    *,
    creating: bool,
) -> list[str]:
    """What is wrong with `columns`, the names of the fields that a file gives; nothing if fine.

    None and columns beginning with `--` do not count. To create, every required field without a
    default is needed, and the required ones of the identity; else all fields of one identity.
    """
    names = [name for name in columns if name is not None and not is_no_field(name)]
    lacking = _to_create(names, fields, identities) if creating else _to_find(names, identities)
    errors = [f"Need at least columns {lacking} for import!"] if lacking else []
    return errors + ([DOUBLE] if len(set(names)) < len(names) else [])


def fault_of_import(header: Sequence[str], names: Sequence[str]) -> str:
    """The first thing wrong with a header that must give all of `names` and no others; "" if fine.

    The order of the columns is free, and those beginning with `--` do not count. The texts and
    their order are rex.tabular_import's.
    """
    given = [name.strip() for name in header if not is_no_field(name)]
    if len(set(given)) < len(given):
        return "Incoming dataset has duplicate column headers"
    if extra := set(given).difference(names):
        return f"Incoming dataset describes extra columns: {', '.join(sorted(extra))}"
    if missing := set(names).difference(given):
        return f"Incoming dataset is missing columns: {', '.join(sorted(missing))}"
    return ""


def _to_create(
    names: Sequence[str], fields: Sequence[Field], identities: Sequence[Sequence[str]]
) -> str:
    """The needed columns, if one is missing. An optional identity is made by the database."""
    key = set(identities[0]) if identities else set()
    needed = [f.name for f in fields if f.required and (f.default is None or f.name in key)]
    return "" if set(needed) <= set(names) else _listed(needed)


def _to_find(names: Sequence[str], identities: Sequence[Sequence[str]]) -> str:
    """The columns of each identity, if none is there whole."""
    if not identities or any(set(identity) <= set(names) for identity in identities):
        return ""
    return " or ".join(map(_listed, identities))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
