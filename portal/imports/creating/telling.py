"""A table to be, in words and as JSON, for the shell. Pure."""

from typing import Any

from portal.imports.creating.drafts import Draft, Part
from portal.rows.rule_texts import said, texts_of
from portal.tabular.survey.file import Survey


def draft_facts(draft: Draft, survey: Survey) -> dict[str, Any]:
    """The table for machines; `name` of a column is null where it is left out."""
    facts = zip(survey.columns, draft.parts, strict=True)
    return {
        "table": draft.name,
        "key": list(draft.table.key),
        "rows": survey.rows,
        "ragged": survey.ragged,
        "columns": [
            {
                "header": one.header,
                "name": None if part.left_out else part.column.name,
                "type": part.column.said,
                "written": _written(part),
                "required": part.column.required,
                "key": part.column.key,
                "filled": one.filled,
                "empty": one.empty,
                "unique": one.unique,
            }
            for one, part in facts
        ],
    }


def draft_lines(draft: Draft, survey: Survey) -> list[str]:
    """The table for people: its columns, and by which rows are found."""
    lines = [f"Table {draft.name} for {survey.rows:,} row(s), by {', '.join(draft.table.key)}"]
    for facts, part in zip(survey.columns, draft.parts, strict=True):
        column = part.column
        if part.left_out:
            lines.append(f"{facts.header}\tleft out")
            continue
        need = "key" if column.key else "required" if column.required else ""
        words = (facts.header, column.name, column.said, need, _written(part))
        lines.append("\t".join(words).rstrip("\t"))
    if survey.ragged:
        lines.append(f"{survey.ragged:,} row(s) have more or fewer cells than the header.")
    return lines


def _written(part: Part) -> str:
    """How the file writes the column's numbers; empty where with a point alone."""
    return "" if part.rules is None else said(texts_of(part.rules))
