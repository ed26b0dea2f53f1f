"""What the pages of tables take from people."""

from collections.abc import Mapping

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import RadioField
from wtforms.fields import SelectChoice

from portal.accounts.permissions import ROLE_PERMISSIONS, Role
from portal.tables.actions import Action, Granted, grantable
from portal.tables.browsing import Comparison, Wanted
from portal.tables.files import FileFormat

FORMAT_LABELS = {
    FileFormat.CSV: "CSV: for any program, and to be imported again",
    FileFormat.XLSX: "Excel workbook: numbers and dates as such",
    FileFormat.PARQUET: "Parquet: for programs that analyse data, each column with its type",
}
COMPARISON_LABELS = {
    Comparison.CONTAINS: "contains",
    Comparison.IS: "is",
    Comparison.FROM: "from",
    Comparison.TO: "to",
    Comparison.EMPTY: "is empty",
    Comparison.FILLED: "is not empty",
}
GRANTABLE = {role: actions for role in Role if (actions := grantable(role, ROLE_PERMISSIONS[role]))}


class ExportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What a table is exported as."""

    file_format = RadioField(
        "Format",
        choices=[SelectChoice(str(known), label) for known, label in FORMAT_LABELS.items()],
        default=str(FileFormat.CSV),
    )


def grants_in(form: MultiDict[str, str]) -> Granted:
    """The boxes that were ticked: `grant` is `role:action`; what there is no box for is left."""
    ticked = set(form.getlist("grant"))
    return frozenset(
        (role, action)
        for role, actions in GRANTABLE.items()
        for action in actions
        if box(role, action) in ticked
    )


def box(role: Role, action: Action) -> str:
    """What a box of the grants' form stands for."""
    return f"{role}:{action}"


def wanted_from(args: Mapping[str, str]) -> Wanted:
    """The rows that an address asks for; what makes no sense is left out."""
    test = args.get("test", "")
    return Wanted(
        column=_asked(args, "column"),
        test=Comparison(test) if test in set(Comparison) else Comparison.CONTAINS,
        text=_asked(args, "text"),
        sort=_asked(args, "sort"),
        descending=args.get("order") == "down",
        after=_asked(args, "after"),
    )


def query_of(wanted: Wanted, **changes: str) -> dict[str, str]:
    """The parts of an address that ask for `wanted`, but for its place."""
    asked = {
        "column": wanted.column,
        "test": str(wanted.test) if wanted.column else "",
        "text": wanted.text,
        "sort": wanted.sort,
        "order": "down" if wanted.descending else "",
    }
    return {name: value for name, value in (asked | changes).items() if value}


def _asked(args: Mapping[str, str], name: str) -> str:
    return args.get(name, "")[:2000]
