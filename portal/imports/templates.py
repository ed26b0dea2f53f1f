"""Empty files of a table to be filled in."""

from enum import StrEnum

from portal.accounts.permissions import Actor
from portal.db import open_sessions, reading
from portal.imports.fitting import missing_table, table_processor
from portal.rows.processors import Processors
from portal.runtime import Runtime
from portal.tables.actions import Rights
from portal.tables.catalog import catalog_of
from portal.tables.grants import rights_of
from portal.tables.natural_keys import references_of
from portal.tables.service import SEEN
from portal.tables.suggesting import suggest_words
from portal.tabular.templates import REFERENCES_AT_MOST, csv_template, tsv_template, xlsx_template


class TemplateFormat(StrEnum):
    """What a template is written as."""

    CSV = "csv"
    TSV = "tsv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    TemplateFormat.CSV: "text/csv; charset=utf-8",
    TemplateFormat.TSV: "text/tab-separated-values; charset=utf-8",
    TemplateFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def template_name(table: str, form: TemplateFormat) -> str:
    """What the file is called; the name is rex.tabular_import's."""
    return f"{table}-template.{form}"


def table_template(
    runtime: Runtime,
    *,
    processors: Processors,
    actor: Actor,
    table: str,
    form: TemplateFormat,
    described: bool = False,
) -> bytes:
    """An empty file for rows of `table`; a workbook has drop-downs for choices and references.

    Raises NotFoundError where there is no such table, or none that `actor` may see.
    """
    with runtime.reads() as session:
        rights = rights_of(session, settings=runtime.settings, actor=actor)
    if not rights.may_any(table, SEEN):
        raise missing_table(table)
    processor = table_processor(processors, table)
    if form is TemplateFormat.CSV:
        return csv_template(processor.fields, described=described)
    if form is TemplateFormat.TSV:
        return tsv_template(processor.fields, described=described)
    references = _references(runtime, rights, table)
    return xlsx_template(processor.fields, described=described, references=references)


def _references(runtime: Runtime, rights: Rights, table: str) -> dict[str, list[str]]:
    """The words by which rows of other tables are named, of those that the actor may see.

    One more than a template takes: then it has none of them.
    """
    tables = catalog_of(runtime).tables()
    with open_sessions(reading(runtime.tables))() as session:
        return {
            name: [
                choice.value
                for choice in suggest_words(session, reference, "", limit=REFERENCES_AT_MOST + 1)
            ]
            for name, reference in references_of(tables[table], tables).items()
            if rights.may_any(reference.table, SEEN)
        }
