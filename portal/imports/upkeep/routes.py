"""The pages of mappings that were saved for tables."""

from flask import Blueprint, Response, flash, request

from portal.accounts.permissions import Permission
from portal.errors import ConflictError, ForbiddenError, NotFoundError
from portal.imports.forms import MODE_WORDS, current_wish, tables_offered
from portal.imports.mappings import mappings_for, remove_mapping, versions_for
from portal.imports.words import table_of
from portal.rows.told import told
from portal.visible import visible
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.pages import page

LIST = "/imports/mappings"

bp = Blueprint("upkeep", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.get("/imports/mappings")
def show_mappings() -> Response:
    """The mappings that were saved for tables, and when they were last used."""
    offered = tables_offered(current_actor())
    return page(
        "imports/mappings.html",
        mappings=mappings_for(session(), offered),
        titles={one.name: visible(table_of(one.name)) for one in offered},
        mode_words=MODE_WORDS,
        processor_word="Table",
        may_edit=True,
        mappings_url=LIST,
    )


@bp.get("/imports/mappings/versions")
def show_versions() -> Response:
    """A saved mapping as it stands and as it stood before, with who saved it and when."""
    name = request.args.get("name", "")
    if not name:
        return go(LIST)
    found = versions_for(session(), tables_offered(current_actor()), name=name)
    return page(
        "imports/versions.html",
        versions=found,
        table=table_of(found[0].processor),
        mode=MODE_WORDS[found[0].mode],
        told=told,
    )


@bp.post("/imports/mappings/delete")
def delete_mapping() -> Response:
    """Delete a saved mapping."""
    name = request.form.get("name", "")
    kinds = services().batch_kinds
    try:
        remove_mapping(session(), name=name, wish=current_wish(), kinds=kinds)
    except (ConflictError, ForbiddenError, NotFoundError) as error:
        flash(str(error), "error")
        return go(LIST)
    session().commit()
    flash(f"The mapping {visible(name)} was deleted.", "success")
    return go(LIST)
