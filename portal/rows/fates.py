"""Rows on their way: as they are read, and what became of them, as entries of the ledger. Pure."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from portal.rows.batch import Outcome
from portal.rows.images import image_of
from portal.rows.processors import Record
from portal.tabular.fields import Values

Errors = Mapping[str, Sequence[str]]


class Prepared(NamedTuple):
    """A row that was read and converted: `values`, or the `errors` that it has instead.

    Both are None for a blank row, and for the help row that a template has below its header.
    """

    number: int
    line: int
    cells: Sequence[str]
    values: Values | None
    errors: Errors | None
    is_help: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """What became of a row. `record` is as it stood before where it was updated or removed.

    `short` is kept for a new record whose row may be told as a part of a range.
    """

    outcome: Outcome
    errors: Errors | None = None
    record: Record | None = None
    key: str = ""
    after: Values | None = None
    after_hash: bytes | None = None
    short: bytes | None = None
    skip_reason: str = ""
    alone: bool = True


FateRun: TypeAlias = tuple[Prepared, Prepared, Fate, bytes]

BLANK = Fate(outcome=Outcome.BLANK, alone=False)
UNCHANGED = Fate(outcome=Outcome.UNCHANGED, alone=False)
CREATED = Fate(outcome=Outcome.CREATED, alone=False)
HELP = Fate(outcome=Outcome.SKIPPED, skip_reason="The template's own help row, which is no data.")


def failed(text: str, *, field: str = "") -> Fate:
    """The fate of a row that cannot be done because of `field` (empty: as a whole)."""
    return Fate(outcome=Outcome.FAILED, errors={field: [text]})


def refused(errors: Errors) -> Fate:
    """The fate of a row with `errors`."""
    return Fate(outcome=Outcome.FAILED, errors=errors)


def gains_of(fates: Sequence[Fate]) -> Counter[Outcome]:
    """How many of `fates` have which outcome."""
    return Counter(fate.outcome for fate in fates)


def entries_of(
    rows: Sequence[Prepared], fates: Sequence[Fate], *, batch: int, attempt: int
) -> list[dict[str, Any]]:
    """`fates` as entries of the ledger: like ones in a row as a range, the others alone."""
    return entries_of_runs(_runs(rows, fates), batch=batch, attempt=attempt)


def entries_of_runs(runs: Iterable[FateRun], *, batch: int, attempt: int) -> list[dict[str, Any]]:
    """Rows of like fate in a row (first, last, fate, short hashes) as entries of the ledger."""
    return [
        _entry(first, last, fate, shorts, batch=batch, attempt=attempt)
        for first, last, fate, shorts in runs
    ]


def columns_of(row: Prepared, fate: Fate) -> dict[str, Any]:
    """The columns of a single entry that its fate decides."""
    bad = fate.outcome is Outcome.FAILED
    return {
        "outcome": str(fate.outcome),
        "cells": list(row.cells) if bad else None,
        "errors": {name: list(texts) for name, texts in (fate.errors or {}).items()} or None,
        "record_key": fate.key,
        "before": None if fate.record is None else image_of(fate.record.values),
        "after": None if fate.after is None else image_of(fate.after),
        "after_hash": fate.after_hash or (zlib.compress(fate.short) if fate.short else None),
    }


def _runs(rows: Sequence[Prepared], fates: Sequence[Fate]) -> Iterator[FateRun]:
    pairs = zip(rows, fates, strict=True)
    for alone, run in groupby(pairs, key=_run_key):
        if isinstance(alone, int):
            yield from ((row, row, fate, b"") for row, fate in run)
        else:
            yield _whole(list(run))


def _run_key(pair: tuple[Prepared, Fate]) -> object:
    """Equal for neighbours that make one range."""
    row, fate = pair
    return row.number if fate.alone else (fate.outcome, fate.short is None)


def _whole(run: list[tuple[Prepared, Fate]]) -> FateRun:
    shorts = b"".join(fate.short or b"" for _, fate in run)
    return run[0][0], run[-1][0], run[0][1], zlib.compress(shorts) if shorts else b""


def _entry(
    first: Prepared, last: Prepared, fate: Fate, shorts: bytes, *, batch: int, attempt: int
) -> dict[str, Any]:
    entry = {
        "batch": batch,
        "first_row": first.number,
        "last_row": last.number,
        "line": first.line,
        "attempt": attempt,
        "edited": None,
        "skip_reason": fate.skip_reason,
        **columns_of(first, fate),
    }
    if shorts:
        entry["after_hash"] = shorts
    return entry
