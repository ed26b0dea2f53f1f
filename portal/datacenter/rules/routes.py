"""The pages of watch rules: the list, one rule, making, changing and deleting."""

from typing import Any

from flask import Blueprint, Response, flash

from portal.accounts.actors import find_actor
from portal.accounts.permissions import Actor, Permission
from portal.datacenter.rules import service
from portal.datacenter.rules.expectations import in_words
from portal.datacenter.rules.forms import RuleForm
from portal.datacenter.rules.models import WatchRule
from portal.datacenter.rules.service import Changing
from portal.errors import ConflictError, InvalidError
from portal.rows.profiles import list_profiles
from portal.web.access import current_actor, go, protect
from portal.web.extensions import services, session
from portal.web.pages import page
from portal.web.signed_in import address

LIST = "/datacenter/rules"

bp = Blueprint("rules", __name__)
protect(bp, Permission.IMPORTS_RUN)


@bp.get("/datacenter/rules")
def list_rules() -> Response:
    """All rules in the order in which they are asked."""
    found = service.list_rules(session(), actor=current_actor())
    titles = services().processors.titles(current_actor())
    return page("datacenter/rules/index.html", rules=found, zone=_zone(), titles=titles)


@bp.get("/datacenter/rules/new")
def new_rule() -> Response:
    """The form of a new rule."""
    form = _form(current_actor())
    form.place.data = service.next_place(session())
    return _form_page(form)


@bp.post("/datacenter/rules")
def create_rule() -> Response:
    """Make a rule that runs as who makes it."""
    form = _form(current_actor())
    if not form.validate_on_submit():
        return _form_page(form, 422)
    try:
        rule = service.create_rule(session(), wish=form.wish, changing=_changing())
    except (InvalidError, ConflictError) as error:
        return _form_page(form, 422, fault=str(error))
    return _done(f"The rule {rule.name} watches from now on.")


@bp.get("/datacenter/rules/<int:rule>")
def show_rule(rule: int) -> Response:
    """The form of a rule, with what it did last."""
    found = service.get_rule(session(), actor=current_actor(), rule_id=rule)
    form = _form(_owner(found))
    form.show(found)
    return _form_page(form, rule=found)


@bp.post("/datacenter/rules/<int:rule>")
def change_rule(rule: int) -> Response:
    """Change a rule; it goes on at once."""
    found = service.get_rule(session(), actor=current_actor(), rule_id=rule)
    form = _form(_owner(found))
    if not form.validate_on_submit():
        return _form_page(form, 422, rule=found)
    try:
        service.change_rule(session(), rule_id=rule, wish=form.wish, changing=_changing())
    except (InvalidError, ConflictError) as error:
        session().rollback()
        found = service.get_rule(session(), actor=current_actor(), rule_id=rule)
        return _form_page(form, 422, rule=found, fault=str(error))
    return _done("The rule was changed.")


@bp.post("/datacenter/rules/<int:rule>/<any(on,off):switch>")
def switch_rule(rule: int, switch: str) -> Response:
    """Let a rule watch, or let it rest."""
    on = switch == "on"
    found = service.switch_rule(session(), rule_id=rule, on=on, changing=_changing())
    return _done(f"The rule {found.name} {'watches again' if on else 'rests'}.")


@bp.post("/datacenter/rules/<int:rule>/delete")
def delete_rule(rule: int) -> Response:
    """Delete a rule; the files it asked for stay as they are."""
    name = service.delete_rule(session(), rule_id=rule, changing=_changing())
    return _done(f"The rule {name} was deleted.")


def _form(owner: Actor) -> RuleForm:
    """The form with what the owner of the rule may choose."""
    form = RuleForm()
    form.offer(services().processors.offered(owner), list_profiles(session()))
    return form


def _form_page(
    form: RuleForm, status: int = 200, *, rule: WatchRule | None = None, fault: str = ""
) -> Response:
    context: dict[str, Any] = {"form": form, "rule": rule, "fault": fault, "zone": _zone()}
    context["expected"] = in_words(rule.expected) if rule and rule.expected else ""
    return page("datacenter/rules/form.html", status, **context)


def _owner(rule: WatchRule) -> Actor:
    return find_actor(session(), rule.owner_id) or current_actor()


def _changing() -> Changing:
    runtime = services().runtime
    return Changing(
        actor=current_actor(),
        now=runtime.clock(),
        zone=runtime.settings.zone,
        processors=services().processors,
        address=address(),
    )


def _done(text: str) -> Response:
    session().commit()
    flash(text, "success")
    return go(LIST)


def _zone() -> str:
    return services().runtime.settings.zone.key
