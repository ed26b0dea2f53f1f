"""What the shell tells of files, of a look at one, and of runs: for machines, and as lines."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from portal.datacenter.batches import Run
from portal.datacenter.folders import DataCenterFile
from portal.datacenter.listing import Line
from portal.datacenter.steps import Folder
from portal.datacenter.uploads import Accepted
from portal.rows.batch import Entry
from portal.rows.looking import Column, Look
from portal.rows.profiles import Profile

PENDING, PROCESSING, WAITING = "pending", "processing", "waiting"


def upload_facts(accepted: Accepted, *, shown: str) -> dict[str, Any]:
    """A file that was taken in."""
    return {
        "name": shown,
        "path": accepted.name,
        "state": PENDING if accepted.repairs else WAITING,
        "size": accepted.size,
        "rows": accepted.rows,
        "sha256": accepted.sha256,
        "repairs": accepted.repairs,
    }


def file_facts(line: Line, folder: Folder) -> dict[str, Any]:
    """A file of a list; `path` is where it lies in the storage."""
    return {
        "name": line.file.shown,
        "path": f"{folder}/{line.file.name}".lstrip("/"),
        "state": str(folder) or _state(line),
        "size": line.file.entry.size,
        "rows": line.rows,
        "changed": line.changed.isoformat(timespec="seconds"),
        "user": line.by,
        "job": line.job_id,
    }


def file_line(line: Line, folder: Folder) -> str:
    """The same for people."""
    facts = file_facts(line, folder)
    rows = "" if line.rows is None else f"{line.rows} rows"
    size, date = line.file.get_size(), line.file.get_date()
    return "\t".join((facts["name"], facts["state"], size, rows, date, line.by)).rstrip()


def mapping_facts(profile: Profile) -> dict[str, Any]:
    """A saved mapping."""
    return {
        "name": profile.name,
        "processor": profile.processor,
        "mode": str(profile.mode),
        "columns": list(profile.columns),
        "version": profile.version,
        "treatment": profile.treatment.as_json(),
        "saved_by": profile.saved_by,
        "saved": profile.saved_at.isoformat(timespec="seconds"),
        "used": profile.used_at and profile.used_at.isoformat(timespec="seconds"),
    }


def mapping_line(profile: Profile) -> str:
    """The same for people."""
    facts = mapping_facts(profile)
    used = f"last used {facts['used']}" if facts["used"] else "never used"
    return "\t".join((profile.name, profile.processor, profile.mode, profile.saved_by, used))


def look_facts(seen: Look, file: DataCenterFile) -> dict[str, Any]:
    """How a file is read, its first rows, and which field each column is for."""
    fmt, found = seen.format, seen.finding
    return {
        "name": file.shown,
        "size": file.entry.size,
        "kind": fmt.kind,
        "encoding": fmt.encoding,
        "encoding_confidence": found.encoding_confidence,
        "delimiter": fmt.delimiter,
        "dialect_confidence": found.dialect_confidence,
        "quote": fmt.quote,
        "sheet": fmt.sheet,
        "sheets": list(seen.sheets),
        "processor": seen.processor.name if seen.processor else None,
        "mode": str(seen.mode) if seen.mode else None,
        "header": list(seen.preview.header),
        "columns": [_column_facts(column) for column in seen.columns],
        "first_rows": [cells for _number, _line, cells in seen.preview.rows],
        "treatment": seen.treatment.as_json(),
        "faults": list(seen.faults) if seen.processor or seen.preview.fault else [],
    }


def look_lines(seen: Look, file: DataCenterFile) -> Iterator[str]:
    """The same for people: a block for the file, then one for each column with its first cells."""
    facts = look_facts(seen, file)
    yield facts["name"]
    if seen.format.kind == "csv":
        yield f"  encoding   {facts['encoding']}"
        yield f"  delimiter  {seen.delimiter or seen.format.delimiter}"
    elif seen.sheets:
        yield f"  sheet      {facts['sheet'] or seen.sheets[0]} (of {', '.join(seen.sheets)})"
    if seen.processor:
        yield f"  processor  {seen.processor.name}, mode {seen.mode}"
    for column in seen.columns:
        target = f" -> {column.field.name}" if column.field else " -> left out"
        yield f"  {column.header or '(no name)'}{target if seen.processor else ''}"
        yield f"      {' | '.join(column.samples)}"
    for fault in facts["faults"]:
        yield f"  {fault}"


def run_facts(run: Run, job: dict[str, Any]) -> dict[str, Any]:
    """A job as `job` has it, with the sum of its batch and where the files came to lie."""
    batch = run.batch
    if batch is None:
        return job
    counts = batch.counts.as_json()
    return job | {
        "batch": batch.id,
        "name": batch.order.file_name,
        "processor": batch.order.processor,
        "mode": str(batch.order.mode),
        "dry_run": batch.order.dry_run,
        "rows": counts.pop("total"),
        **counts,
        "undone": batch.undone,
        "kept": batch.kept,
        "waits_for_approval": run.waits_for_second,
        "original": job["result"].get("original", ""),
        "finished": job["result"].get("finished", ""),
        "pending": job["result"].get("pending", ""),
        "errors": [_entry_facts(entry) for entry in run.failing],
        "skipped_rows": [
            {"row": entry.first_row, "reason": entry.skip_reason} for entry in run.skipped
        ],
        "changes": [asdict(change) for change in run.changes],
    }


def run_lines(run: Run, *, storage: Path) -> Iterator[str]:
    """The same for people. The first failing rows are told, and where all of them wait."""
    batch, job = run.batch, run.job
    yield f"{job.title}: {job.word.lower()}. {job.reason}".rstrip()
    yield f"  job      {job.id}"
    if batch is None:
        return
    counts = batch.counts
    yield f"  batch    {batch.id}, {batch.state}"
    yield f"  rows     {counts.total if counts.total is not None else 'not counted yet'}"
    for name in run.shown_counts:
        yield f"  {name:<8} {getattr(counts, name)}"
    if counts.unprocessed:
        yield f"  {counts.unprocessed} rows are not processed yet"
    if batch.undone or batch.kept:
        yield f"  {batch.undone} undone, {batch.kept} kept because they were changed since"
    if run.file_said:
        yield f"  {run.file_said}"
    if run.waits_for_second:
        yield f"  {run.standing}"
    for change in run.changes:
        yield f"  row {change.row}, {change.key}: {change.field} {change.before} -> {change.after}"
    if run.hidden:
        yield f"  {run.hidden}"
    yield from (f"  row {entry.first_row}: {_faults(entry)}" for entry in run.failing)
    yield from (f"  row {entry.first_row} skipped: {entry.skip_reason}" for entry in run.skipped)
    pending = job.result.get("pending")
    if pending and counts.failed:
        yield f"{_failed(counts.failed)} in {storage / pending}"


def _failed(count: int) -> str:
    return "1 row failed. It waits" if count == 1 else f"{count} rows failed. They wait"


def _state(line: Line) -> str:
    if line.job_id:
        return PROCESSING
    return PENDING if line.repair else WAITING


def _column_facts(column: Column) -> dict[str, Any]:
    return {
        "header": column.header,
        "field": column.field.name if column.field else None,
        "score": column.proposal.score,
        "why": column.proposal.why,
        "becomes": [one.fault or one.becomes for one in column.outcomes],
    }


def _entry_facts(entry: Entry) -> dict[str, Any]:
    return {"row": entry.first_row, "line": entry.line, "errors": dict(entry.errors)}


def _faults(entry: Entry) -> str:
    return "; ".join(_fault(field, texts) for field, texts in entry.errors.items())


def _fault(field: str, texts: Sequence[str]) -> str:
    said = " / ".join(texts)
    return f"{field}: {said}" if field else said
