"""The pages of imports: the list, sending a file, the imports of a table and its templates."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, request

from portal.accounts.permissions import Permission
from portal.artifacts.downloads import disposition
from portal.errors import NotFoundError
from portal.imports.channels.routes import bp as channels
from portal.imports.choosing.routes import bp as choosing
from portal.imports.creating.routes import bp as creating
from portal.imports.expected.routes import bp as expected
from portal.imports.files import MEGABYTE
from portal.imports.forms import (
    MODE_LABELS,
    STATES,
    chosen_with,
    current_wish,
    query_of,
    tables_offered,
    take_upload,
    wanted_from,
)
from portal.imports.listing import Wanted, list_page, missing_files
from portal.imports.preparing.routes import bp as preparing
from portal.imports.receiving.routes import bp as receiving
from portal.imports.results.routes import bp as results
from portal.imports.templates import MEDIA_TYPES, TemplateFormat, table_template, template_name
from portal.imports.upkeep.routes import bp as upkeep
from portal.imports.words import table_of
from portal.imports.wrote import History, history_of
from portal.rows.batch import Batch
from portal.tables.addresses import address_of, table_at
from portal.tables.grants import rights_of
from portal.tables.keys import joined
from portal.tables.service import get_table
from portal.tables.shapes import TableShape
from portal.visible import visible
from portal.web.access import answers_file, current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page

SHOWN = 50
ADDRESS_LENGTH = 2000
ROW = "row"

bp = Blueprint("imports", __name__)
protect(bp, Permission.IMPORTS_RUN)
bp.register_blueprint(preparing)
bp.register_blueprint(upkeep)
bp.register_blueprint(choosing)
bp.register_blueprint(channels)
bp.register_blueprint(expected)
bp.register_blueprint(creating)
bp.register_blueprint(receiving)
bp.register_blueprint(results)


@bp.get("/imports")
def list_imports() -> Response:
    """Imports, the newest first; for htmx the list alone."""
    wanted = wanted_from(request.args)
    context = _list(wanted, here="/imports")
    if is_htmx():
        return fragment("imports/_list.html", **context)
    wish = current_wish()
    missing = missing_files(session(), runtime=wish.runtime, actor=wish.actor, now=wish.now)
    names = [table_of(processor.name) for processor in tables_offered(wish.actor)]
    return page(
        "imports/index.html",
        **context,
        tables=names,
        table_choices=_table_choices(names, wanted.table),
        states=STATES,
        mode_labels=MODE_LABELS,
        most=wish.runtime.settings.upload_limit_mb * MEGABYTE,
        hosts=wish.runtime.settings.imports_hosts,
        address=request.args.get("address", "")[:ADDRESS_LENGTH],
        missing=missing,
    )


@bp.post("/imports")
def upload_file() -> Response:
    """Take a file in; its page then asks how it is read and what its columns become."""
    stored = take_upload()
    if stored is None:
        return go("/imports")
    return go(f"/imports/new/{stored.id}?{urlencode(chosen_with(request.form))}".rstrip("?"))


@bp.get("/imports/tables/<table>")
def show_table(table: str) -> Response:
    """The imports into a table; for htmx the list alone."""
    shape = _shape(table)
    here = f"/imports/tables/{address_of(shape.name)}"
    context = _list(wanted_from(request.args, table=shape.name), here=here)
    if is_htmx():
        return fragment("imports/_list.html", **context)
    history, fault = _history(shape)
    return page(
        "imports/table.html",
        shape=shape,
        states=STATES,
        key=_key_asked(shape),
        history=history,
        history_fault=fault,
        batch_url=_batch_url,
        **context,
    )


@bp.get("/imports/templates/<path:template>")
@answers_file
def download_template(template: str) -> Response:
    """An empty file of a table to be filled in, such as `office.csv`; it may be described."""
    name, _, ending = template.rpartition(".")
    if ending not in set(TemplateFormat):
        raise NotFoundError("There is no such template.")
    form, found = TemplateFormat(ending), services()
    table = table_at(name)
    content = table_template(
        found.runtime,
        processors=found.processors,
        actor=current_actor(),
        table=table,
        form=form,
        described=request.args.get("described") == "yes",
    )
    response = make_response(content)
    response.headers["Content-Type"] = MEDIA_TYPES[form]
    named = disposition(template_name(table, form), inline=False)
    response.headers["Content-Disposition"] = named
    return response


def _list(wanted: Wanted, *, here: str) -> dict[str, Any]:
    found = list_page(
        session(),
        runtime=services().runtime,
        actor=current_actor(),
        wanted=wanted,
        limit=SHOWN + 1,
    )
    shown = found[:SHOWN]
    older = query_of(wanted, before=shown[-1].job.number) if len(found) > SHOWN else ""
    return {
        "lines": shown,
        "wanted": wanted,
        "here": here,
        "older_url": f"{here}?{older}" if older else None,
        "newest_url": f"{here}?{query_of(wanted)}" if wanted.before else None,
        "query": query_of(wanted, before=wanted.before),
        "one_table": here != "/imports",
        "active": any(line.job.active for line in shown),
        "narrowed": bool(wanted.state or wanted.text or (wanted.table and here == "/imports")),
        "address_of": address_of,
    }


def _key_asked(shape: TableShape) -> list[tuple[str, str]]:
    """The columns of the key, each with what was typed for it."""
    named = f"{ROW}-"
    return [(name, request.args.get(f"{named}{place}", "")) for place, name in enumerate(shape.key)]


def _history(shape: TableShape) -> tuple[History | None, str]:
    """Who wrote the row that the address names, or why that cannot be told."""
    typed = [text for _, text in _key_asked(shape)]
    key = request.args.get(ROW, "") or (joined(typed) if any(typed) else "")
    if not key:
        return None, ""
    found = services()
    try:
        return history_of(found.runtime, found.processors, shape=shape, key=key), ""
    except NotFoundError as error:
        return None, str(error)


def _batch_url(batch: Batch) -> str:
    """The page of a batch, whichever area it is of; empty where one may not see it."""
    kind = services().batch_kinds.get(batch.order.kind)
    return kind.page(batch) if kind.may_view(session(), current_actor(), batch) else ""


def _table_choices(names: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """What the list may be narrowed to, a table among it that is no longer to be imported into."""
    known = dict.fromkeys([*names, *([chosen] if chosen else [])])
    return [("", "Any table"), *((name, visible(name)) for name in known)]


def _shape(table: str) -> TableShape:
    runtime, actor = services().runtime, current_actor()
    rights = rights_of(session(), settings=runtime.settings, actor=actor)
    return get_table(runtime, rights, name=table_at(table))
