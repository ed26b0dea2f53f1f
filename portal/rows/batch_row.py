"""Batches and fates as rows of the ledger's tables, and back. Pure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from portal.rows.batch import Batch, BatchOrder, BatchState, Counts, Entry, Outcome
from portal.rows.processors import Mode, Store
from portal.rows.treatment import Treatment
from portal.tabular.formats import Format

_SAME = (
    "id",
    "token",
    "attempt",
    "next_row",
    "retry_next",
    "backup_bytes",
    "undo_next",
    "undone",
    "kept",
    "pause_asked",
    "job_id",
    "actor_id",
    "actor_name",
    "created_at",
    "started_at",
    "ended_at",
    "forgotten_at",
)


def batch_of(row: Row[Any]) -> Batch:
    """The batch that a row of the batch table tells."""
    values = row._mapping  # noqa: SLF001 (SQLAlchemy's public name)
    retry = values["retry_rows"]
    return Batch(
        number=values["number"],
        order=_order_of(values),
        store=Store(values["store"]),
        state=BatchState(values["state"]),
        retry_rows=None if retry is None else tuple(retry),
        counts=Counts(total=values["total"], **{str(name): values[name] for name in Outcome}),
        **{name: values[name] for name in _SAME},
    )


def row_of(batch: Batch) -> dict[str, Any]:
    """The columns of a row that tells `batch`; `number` is left to the table."""
    retry = batch.retry_rows
    return {
        **order_columns(batch.order),
        **{name: getattr(batch, name) for name in _SAME},
        **{str(name): getattr(batch.counts, name) for name in Outcome},
        "store": str(batch.store),
        "state": str(batch.state),
        "retry_rows": None if retry is None else list(retry),
        "total": batch.counts.total,
    }


def order_columns(order: BatchOrder) -> dict[str, Any]:
    """The columns of a row that tell what was ordered."""
    return {
        "kind": order.kind,
        "processor": order.processor,
        "mode": str(order.mode),
        "dry_run": order.dry_run,
        "reason": order.reason,
        "owner": order.owner,
        "file_path": str(order.file),
        "file_name": order.file_name,
        "sha256": order.sha256,
        "size": order.size,
        "format": order.format.as_json(),
        "columns": list(order.columns),
        "options": _options_of(order),
        "total": order.total,
    }


def entry_of(row: Row[Any]) -> Entry:
    """The fate that a row of the row table tells."""
    values = {key: value for key, value in row._mapping.items() if key != "batch"}  # noqa: SLF001
    values["outcome"] = Outcome(values["outcome"])
    values["edited"] = values["edited"] or {}
    values["errors"] = values["errors"] or {}
    return Entry(**values)


def _order_of(values: Any) -> BatchOrder:
    return BatchOrder(
        kind=values["kind"],
        processor=values["processor"],
        mode=Mode(values["mode"]),
        file=Path(values["file_path"]),
        file_name=values["file_name"],
        sha256=values["sha256"],
        size=values["size"],
        format=Format.from_json(values["format"]),
        columns=tuple(values["columns"]),
        dry_run=values["dry_run"],
        reason=values["reason"],
        owner=values["owner"],
        total=values["total"],
        **_from_options(values["options"]),
    )


def _options_of(order: BatchOrder) -> dict[str, Any]:
    """What is asked for beyond what every batch has, as JSON; nothing for what is as ever."""
    options = {
        "whole": order.whole,
        "treatment": order.treatment.as_json(),
        "original": order.original,
    }
    return {name: value for name, value in options.items() if value}


def _from_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "whole": bool(options.get("whole")),
        "treatment": Treatment.from_json(options.get("treatment", {})),
        "original": bool(options.get("original")),
    }
