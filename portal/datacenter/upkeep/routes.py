"""The pages beside the files: logs, processors with templates, mappings, the storage's place."""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, make_response, request

from portal.accounts.permissions import Permission
from portal.artifacts.downloads import disposition
from portal.datacenter.erasing import erase_rows, plan_erasure
from portal.datacenter.log_search import logs_for, search_logs
from portal.datacenter.mappings import remove_mapping
from portal.datacenter.place import storage_path
from portal.datacenter.service import change_storage_path, open_data_center
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.rows.processors import Processor
from portal.rows.profiles import list_profiles, list_versions
from portal.rows.told import told
from portal.tabular.templates import csv_template, tsv_template, xlsx_template
from portal.web.access import answers_file, current_actor, go, protect, requires
from portal.web.extensions import services, session
from portal.web.pages import page
from portal.web.signed_in import address

TEMPLATES = {
    "csv": (csv_template, "text/csv; charset=utf-8"),
    "tsv": (tsv_template, "text/tab-separated-values; charset=utf-8"),
    "xlsx": (
        xlsx_template,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}

bp = Blueprint("upkeep", __name__)
protect(bp, Permission.DATACENTER_VIEW)


@bp.get("/datacenter/logs")
def show_logs() -> Response:
    """Search the logs of processing by a regular expression."""
    folder = open_data_center(services().runtime).logs_path
    expression, name = request.args.get("search", ""), request.args.get("log", "")
    names = logs_for(folder, actor=current_actor(), processors=services().processors)
    context: dict[str, Any] = {"results": None, "fault": ""}
    if expression:
        try:
            logs = [one for one in names if name in ("", one)]
            context["results"] = search_logs(folder, expression, logs=logs)
        except InvalidError as error:
            context["fault"] = str(error)
    choices = [(one, one) for one in names]
    return page(
        "datacenter/logs.html",
        names=names,
        log_choices=choices,
        search=expression,
        log=name,
        **context,
    )


@bp.get("/datacenter/processors")
def show_processors() -> Response:
    """What rows can become, with their fields and what each allows."""
    return page("datacenter/processors.html", processors=_offered())


@bp.get("/datacenter/templates/<path:template>")
@answers_file
def download_template(template: str) -> Response:
    """An empty file of a processor to be filled in, such as `users.csv`; it may be described."""
    stem, _, form = template.rpartition(".")
    processor = next((one for one in _offered() if one.name == stem), None)
    if processor is None or form not in TEMPLATES:
        raise NotFoundError("There is no such template.")
    make, media_type = TEMPLATES[form]
    described = request.args.get("described") == "yes"
    response = make_response(make(processor.fields, described=described))
    response.headers["Content-Type"] = media_type
    safe = processor.name.replace(":", "-")
    response.headers["Content-Disposition"] = disposition(f"{safe}.{form}", inline=False)
    return response


@bp.get("/datacenter/mappings")
def show_mappings() -> Response:
    """The mappings that were saved, with what they are for and when they were last used."""
    may_edit = current_actor().may(Permission.DATACENTER_EDIT)
    found = list_profiles(session())
    context: dict[str, Any] = {
        "mappings": found,
        "may_edit": may_edit,
        "mappings_url": "/datacenter/mappings",
        "mode_words": {},
        "processor_word": "Processor",
        "titles": services().processors.titles(current_actor()),
    }
    return page("datacenter/mappings.html", **context)


@bp.get("/datacenter/mappings/versions")
def show_versions() -> Response:
    """A saved mapping as it stands and as it stood before, with who saved it and when."""
    name = request.args.get("name", "")
    if not name:
        return go("/datacenter/mappings")
    found = list_versions(session(), name=name)
    return page("datacenter/versions.html", versions=found, told=told)


@bp.post("/datacenter/mappings/delete")
@requires(Permission.DATACENTER_EDIT)
def delete_mapping() -> Response:
    """Delete a saved mapping."""
    name = request.form.get("name", "")
    try:
        remove_mapping(
            session(),
            name=name,
            actor=current_actor(),
            now=services().runtime.clock(),
            kinds=services().batch_kinds,
            address=address(),
        )
    except (ConflictError, NotFoundError) as error:
        flash(str(error), "error")
        return go("/datacenter/mappings")
    session().commit()
    flash(f"The mapping {name} was deleted.", "success")
    return go("/datacenter/mappings")


@bp.get("/datacenter/settings")
@requires(Permission.DATACENTER_SETTINGS)
def show_settings() -> Response:
    """Where the files of the data centre lie."""
    return _settings_page()


@bp.post("/datacenter/settings")
@requires(Permission.DATACENTER_SETTINGS)
def change_settings() -> Response:
    """Let the files lie elsewhere; those that could not be moved are listed."""
    wanted = request.form.get("path", "").strip()
    try:
        left = change_storage_path(
            services().runtime,
            path=Path(wanted),
            move=request.form.get("move") == "yes",
            actor=current_actor(),
            address=address(),
        )
    except (InvalidError, ConflictError, ValueError) as error:
        return _settings_page(422, fault=str(error), wanted=wanted)
    if left:
        return _settings_page(left=left)
    flash("The storage was changed.", "success")
    return go("/datacenter/settings")


@bp.get("/datacenter/erase")
@requires(Permission.USERS_MANAGE)
def show_erasure() -> Response:
    """What would be lost if the rows of a person's batches were erased."""
    name = request.args.get("user", "").strip()
    try:
        planned = plan_erasure(services().runtime, name=name, actor=current_actor())
    except NotFoundError as error:
        flash(str(error), "error")
        return go("/datacenter/settings")
    return page("datacenter/erase.html", planned=planned)


@bp.post("/datacenter/erase")
@requires(Permission.USERS_MANAGE)
def erase() -> Response:
    """Erase the rows of a person's batches for good."""
    name = request.form.get("user", "").strip()
    try:
        done = erase_rows(services().runtime, name=name, actor=current_actor(), address=address())
    except (ConflictError, NotFoundError) as error:
        flash(str(error), "error")
    else:
        flash(f"The rows of {len(done.batches)} batches of {done.name} were erased.", "success")
    return go("/datacenter/settings")


def _settings_page(status: int = 200, **context: Any) -> Response:
    shown = {"fault": "", "wanted": "", "left": []} | context
    storage = storage_path(session(), services().runtime.settings)
    return page("datacenter/settings.html", status, storage=storage, **shown)


def _offered() -> list[Processor]:
    return services().processors.offered(current_actor())
