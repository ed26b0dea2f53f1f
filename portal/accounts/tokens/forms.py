"""The form of a new API token."""

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length

from portal.accounts.forms import RolesField
from portal.accounts.permissions import Permission
from portal.accounts.tokens.service import NAME_LENGTH

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}


class TokenForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What a program is lent, and for how long."""

    name = StringField(
        "Name",
        description="Which program it is for; one token for each.",
        validators=[DataRequired("A token needs a name."), Length(max=NAME_LENGTH)],
    )
    scopes = RolesField(
        "It may besides",
        description="Every token sees what its user sees of jobs and their files.",
    )
    days = SelectField(
        "Good for",
        choices=[SelectChoice(value, text) for value, text in LIFETIMES.items()],
        default="90",
    )

    def __init__(self, offered: Iterable[Permission]) -> None:
        super().__init__()
        named = sorted(set(offered) - {Permission.SIGN_IN})
        self.scopes.choices = [SelectChoice(str(scope), str(scope)) for scope in named]
