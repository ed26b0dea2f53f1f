"""What the database says of a row it does not take, in plain words with its own text behind."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError

from portal.rows.processors import RefusedRowError
from portal.tables.original_texts import empty_text, refusal_text
from portal.tables.shapes import Check, TableShape

_SQLITE = re.compile(r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (.*))?", re.DOTALL)
_KEY = re.compile(r"\(([^()]+)\)=\(")
_KINDS = {"UNIQUE": "23505", "NOT NULL": "23502", "CHECK": "23514", "FOREIGN KEY": "23503"}
_WORDS = {
    "23505": "There is a row with the same {columns} already.",
    "23502": "{columns} must not be empty.",
    "23503": "{columns} refers to a row that is not there, or the row is referred to itself.",
    "23514": "The rule {rule} of the table is not kept.",
}


def refusal_of(error: DBAPIError, shape: TableShape) -> RefusedRowError | None:
    """Why the row was refused; None where the fault is not the row's (no connection, no right)."""
    code, constraint, columns = _facts(error.orig, shape)
    if code[:2] not in ("22", "23"):
        return None
    known = columns or _columns_of(constraint, shape) or _columns_told(error.orig, shape)
    words = _WORDS.get(code, "The database does not take this row.").format(
        columns=" and ".join(known) or "the row", rule=_rule(constraint, shape)
    )
    said = " ".join(str(error.orig).split())
    return RefusedRowError(
        f"{words} ({said})",
        field=known[0] if len(known) == 1 else "",
        original=refusal_text(shape, code=code, columns=known, said=_driver_text(error.orig)),
    )


def same_already(shape: TableShape, columns: Sequence[str]) -> RefusedRowError:
    """The refusal of a row whose unique columns are taken."""
    words = _WORDS["23505"].format(columns=" and ".join(columns))
    return RefusedRowError(
        words,
        field=columns[0] if len(columns) == 1 else "",
        original=refusal_text(shape, code="23505", columns=columns, said=""),
    )


def not_filled(shape: TableShape, column: str) -> RefusedRowError:
    """The refusal of a row that leaves empty what must not be."""
    words = _WORDS["23502"].format(columns=column)
    return RefusedRowError(words, field=column, original=empty_text(shape, column))


def rule_broken(check: Check) -> RefusedRowError:
    """The refusal of a row that breaks `check`."""
    return RefusedRowError(_WORDS["23514"].format(rule=f"“{check.sql}”"))


def _facts(original: Any, shape: TableShape) -> tuple[str, str, tuple[str, ...]]:
    """The SQLSTATE, the constraint's name and the columns at fault, as far as they are told."""
    diagnosis = getattr(original, "diag", None)
    if diagnosis is not None:
        column = (diagnosis.column_name,) if diagnosis.column_name else ()
        return original.sqlstate or "", diagnosis.constraint_name or "", column
    found = _SQLITE.search(str(original))
    if found is None:
        return "22000" if "mismatch" in str(original) else "", "", ()
    told = found[2] or ""
    prefix = f"{shape.name}."
    columns = (
        tuple(part.removeprefix(prefix) for part in told.split(", ")) if prefix in told else ()
    )
    return _KINDS[found[1]], told, columns


def _columns_of(constraint: str, shape: TableShape) -> tuple[str, ...]:
    named = {key.name: key.columns for key in shape.foreign_keys}
    named |= {unique.name: unique.columns for unique in shape.uniques}
    if constraint in named:
        return named[constraint]
    return shape.primary_key if constraint.endswith("_pkey") else ()


def _columns_told(original: Any, shape: TableShape) -> tuple[str, ...]:
    """The columns that PostgreSQL names beside the values: `Key (trunk_id, code)=(1, x)`."""
    diagnosis = getattr(original, "diag", None)
    found = _KEY.search((diagnosis and diagnosis.message_detail) or "")
    names = tuple(part.strip().strip('"') for part in found[1].split(",")) if found else ()
    return names if {column.name for column in shape.columns}.issuperset(names) else ()


def _driver_text(original: Any) -> str:
    """What the driver says of the row, without where in a statement of ours it was."""
    diagnosis = getattr(original, "diag", None)
    if diagnosis is None or not diagnosis.message_primary:
        return str(original)
    detail = diagnosis.message_detail
    return (
        f"{diagnosis.message_primary}\nDETAIL:  {detail}" if detail else diagnosis.message_primary
    )


def _rule(constraint: str, shape: TableShape) -> str:
    rule = next((check.sql for check in shape.checks if check.name == constraint), constraint)
    return f"“{rule}”"
