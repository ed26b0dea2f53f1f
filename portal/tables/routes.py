"""The pages of tables: which there are, their rows and columns, who may do what with them."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.db import reading
from portal.errors import InvalidError
from portal.tables import service
from portal.tables.actions import Action, Rights
from portal.tables.addresses import address_of, table_at
from portal.tables.browsing import RowsPage, Wanted
from portal.tables.counting import count_rows
from portal.tables.exporting.routes import bp as exporting
from portal.tables.forms import (
    COMPARISON_LABELS,
    GRANTABLE,
    box,
    grants_in,
    query_of,
    wanted_from,
)
from portal.tables.grants import granted_for, rights_of, set_grants
from portal.tables.layout import Layout
from portal.tables.shapes import TableShape
from portal.web.access import current_actor, go, protect, requires
from portal.web.extensions import services, session
from portal.web.hx import is_htmx
from portal.web.pages import fragment, page
from portal.web.signed_in import address

TABLES_SHOWN = 50
ROWS_SHOWN = 50

bp = Blueprint("tables", __name__)
protect(bp, Permission.TABLES_BROWSE)
bp.register_blueprint(exporting)


@bp.get("/tables")
def list_tables() -> Response:
    """The tables that one may see; for htmx the list alone."""
    text, after = request.args.get("text", "").strip(), request.args.get("after", "")
    found = service.list_tables(
        services().runtime, _rights(), text=text, after=after, limit=TABLES_SHOWN + 1
    )
    shown = found[:TABLES_SHOWN]
    context: dict[str, Any] = {
        "lines": shown,
        "text": text,
        "address_of": address_of,
        "grants": current_actor().may(Permission.TABLES_GRANT),
        "more_url": _list_url(text, shown[-1].shape.name) if len(found) > len(shown) else None,
    }
    if is_htmx():
        return fragment("tables/_list.html", **context)
    return page("tables/index.html", **context)


@bp.get("/tables/<table>")
def show_table(table: str) -> Response:
    """A page of a table's rows; for htmx the rows alone."""
    shape, wanted = _shape(table), wanted_from(request.args)
    layout = _layout(shape)
    fault, found = "", RowsPage(rows=())
    try:
        found = service.look_into(services().runtime, layout, wanted=wanted, limit=ROWS_SHOWN)
    except InvalidError as error:
        fault = str(error)
    here = f"/tables/{address_of(shape.name)}"
    context = _rows_context(layout, wanted, found, here) | {"fault": fault}
    if is_htmx():
        return fragment("tables/_rows.html", 422 if fault else 200, **context)
    return page("tables/show.html", 422 if fault else 200, **context | _frame(shape, here))


@bp.get("/tables/<table>/columns")
def show_columns(table: str) -> Response:
    """What a table's columns are, and the rules that its rows keep."""
    shape = _shape(table)
    here = f"/tables/{address_of(shape.name)}"
    layout = _layout(shape)
    fields = {field.name: field for field in layout.fields}
    return page(
        "tables/columns.html",
        fields=fields,
        references=layout.references,
        **_frame(shape, here),
    )


@bp.get("/tables/<table>/grants")
@requires(Permission.TABLES_GRANT)
def show_grants(table: str) -> Response:
    """Which roles may do what with a table."""
    shape = _shape(table)
    here = f"/tables/{address_of(shape.name)}"
    granted = granted_for(session(), settings=services().runtime.settings, table=shape.name)
    return page(
        "tables/grants.html",
        granted=granted,
        grantable=GRANTABLE,
        actions=list(Action),
        box=box,
        **_frame(shape, here),
    )


@bp.post("/tables/<table>/grants")
@requires(Permission.TABLES_GRANT)
def change_grants(table: str) -> Response:
    """Let the ticked boxes hold."""
    shape = _shape(table)
    set_grants(
        session(),
        settings=services().runtime.settings,
        actor=current_actor(),
        table=shape.name,
        grants=grants_in(request.form),
        now=services().runtime.clock(),
        address=address(),
    )
    session().commit()
    flash(f"What roles may do with {shape.name} is saved. It holds at once.", "success")
    return go(f"/tables/{address_of(shape.name)}/grants")


def _rights() -> Rights:
    return rights_of(session(), settings=services().runtime.settings, actor=current_actor())


def _shape(table: str) -> TableShape:
    """The table at this part of an address; raises NotFoundError where one may not see it."""
    return service.get_table(services().runtime, _rights(), name=table_at(table))


def _frame(shape: TableShape, here: str) -> dict[str, Any]:
    """What stands above every page of a table."""
    runtime, actor = services().runtime, current_actor()
    with reading(runtime.tables).connect() as connection:
        count = count_rows(connection, shape)
    return {
        "shape": shape,
        "here": here,
        "count": count,
        "may_export": _rights().may(shape.name, Action.EXPORT),
        "may_grant": actor.may(Permission.TABLES_GRANT),
        "imports_url": f"/imports/tables/{address_of(shape.name)}"
        if actor.may(Permission.IMPORTS_RUN)
        else "",
        "export_url": f"/table-exports/{address_of(shape.name)}",
    }


def _layout(shape: TableShape) -> Layout:
    """How the actor may read the table: rows of others by their word only where he sees those."""
    runtime = services().runtime
    words = service.words_for(runtime, _rights(), shape)
    return service.layout_to_read(runtime, shape, words=words)


def _rows_context(layout: Layout, wanted: Wanted, found: RowsPage, here: str) -> dict[str, Any]:
    fields = layout.fields
    return {
        "shape": layout.shape,
        "here": here,
        "fields": fields,
        "rows": found.rows,
        "history_urls": _history_urls(layout.shape, found),
        "wanted": wanted,
        "column_choices": [("", "Choose a column"), *((f.name, f.name) for f in fields)],
        "comparisons": COMPARISON_LABELS,
        "sort_urls": {field.name: _sort_url(here, wanted, field.name) for field in fields},
        "first_url": f"{here}?{urlencode(query_of(wanted))}" if wanted.after else None,
        "more_url": f"{here}?{urlencode(query_of(wanted, after=found.after))}"
        if found.after
        else None,
    }


def _history_urls(shape: TableShape, found: RowsPage) -> list[str]:
    """Where one sees which import wrote each of the rows, for those who may import."""
    if not current_actor().may(Permission.IMPORTS_RUN):
        return []
    here = f"/imports/tables/{address_of(shape.name)}"
    return [f"{here}?{urlencode({'row': key})}" for key in found.keys]


def _sort_url(here: str, wanted: Wanted, name: str) -> str:
    """Sort by this column; where that is done already, the other way round."""
    again = wanted.sort == name and not wanted.descending
    return f"{here}?{urlencode(query_of(wanted, sort=name, order='down' if again else ''))}"


def _list_url(text: str, after: str) -> str:
    asked = {"text": text, "after": after}
    return f"/tables?{urlencode({name: value for name, value in asked.items() if value})}"
