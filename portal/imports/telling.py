"""Imports in words and as JSON, for the shell. Pure."""

from typing import Any

from portal.imports.listing import Line
from portal.imports.looking import Import
from portal.imports.orders import Asked
from portal.jobs.models import JobState
from portal.jobs.views import JobView
from portal.rows.batch import Batch, Entry


def job_facts(job: JobView) -> dict[str, Any]:
    """The job of an import for machines; `text` is what it came to, word for word."""
    return {
        "job": job.id,
        "title": job.title,
        "state": job.state,
        "text": text_of(job),
        "result": dict(job.result),
    }


def asked_facts(asked: Asked) -> dict[str, Any]:
    """What is to be said besides of what was asked for."""
    return {
        "joined": asked.joined,
        "warning": "" if asked.earlier is None else asked.earlier.warning,
    }


def job_lines(job: JobView) -> list[str]:
    """The job for people: once it is over, what it came to."""
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        return text_of(job).split("\n")
    return [f"{job.id}\t{job.state}"]


def text_of(job: JobView) -> str:
    """What the job came to, or why it failed."""
    return str(job.result.get("text") or job.reason)


def line_facts(line: Line) -> dict[str, Any]:
    """An import of a list for machines."""
    return {
        "job": line.job.id,
        "title": line.job.title,
        "state": line.job.state,
        "table": line.table,
        "mode": line.mode,
        "dry_run": line.dry_run,
        "requester": line.job.requester,
        "created": line.job.created_at.isoformat(),
        "text": line.text,
        "batch": _batch_facts(line.batch),
    }


def line_of(line: Line) -> str:
    """An import of a list for people."""
    said = f": {line.text}" if line.text else ""
    return f"{line.job.id[:8]}\t{line.job.word}\t{line.job.title}{said}"


def import_facts(seen: Import) -> dict[str, Any]:
    """An import with some of its rows, for machines."""
    return job_facts(seen.job) | {
        "table": seen.table,
        "mode": seen.mode,
        "warning": seen.warning,
        "batch": _batch_facts(seen.batch),
        "may_undo": seen.may_undo,
        "may_redo": seen.may_redo,
        "may_apply": seen.may_apply,
        "changes": [
            {"row": c.row, "key": c.key, "field": c.field, "before": c.before, "after": c.after}
            for c in seen.changes
        ],
        "failing": [
            {"row": entry.first_row, "cells": entry.cells, "errors": dict(entry.errors)}
            for entry in seen.failing
        ],
    }


def import_lines(seen: Import) -> list[str]:
    """An import with some of its rows, for people."""
    lines = [f"{seen.job.title}: {seen.job.word.lower()}", *seen.text.split("\n")]
    lines += [f"Warning: {seen.warning}"] if seen.warning else []
    lines += [f"row {c.row}\t{c.field}\t{c.before} → {c.after}" for c in seen.changes]
    if seen.batch is not None and seen.batch.order.dry_run:
        lines += [f"row {entry.first_row}\t{_reason(entry)}" for entry in seen.failing]
    return [line for line in lines if line]


def _batch_facts(batch: Batch | None) -> dict[str, Any] | None:
    if batch is None:
        return None
    counts = batch.counts.as_json()
    return {"id": batch.id, "state": str(batch.state), "sha256": batch.order.sha256, **counts}


def _reason(entry: Entry) -> str:
    told = [f"{name}: {text}" if name else text for name, ts in entry.errors.items() for text in ts]
    return "; ".join(told)
