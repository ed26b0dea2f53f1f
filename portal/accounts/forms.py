"""The forms of the accounts room; each gathers all errors and shows the input again."""

from flask_wtf import FlaskForm
from wtforms import (
    EmailField,
    HiddenField,
    PasswordField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, EqualTo, Length, Optional, Regexp
from wtforms.widgets import CheckboxInput, ListWidget

from portal.accounts.names import NAME_LENGTH, clean_name
from portal.accounts.password_rules import LONGEST, SHORTEST
from portal.accounts.permissions import Role
from portal.errors import InvalidError

ROLE_LABELS = {
    Role.ADMIN: "admin: everything, users and audit included",
    Role.DATA_MANAGER: "data_manager: the data centre's files, without processing",
    Role.IMPORT_MANAGER: "import_manager: what data_manager may, and process and import",
    Role.EXPORT_MANAGER: "export_manager: export tables",
    Role.OPERATOR: "operator: deliveries and demos",
    Role.MEMBER: "member: projects of their own",
}

ROLE_CHOICES = [SelectChoice(str(role), text) for role, text in ROLE_LABELS.items()]


class RolesField(SelectMultipleField):  # type: ignore[misc]  # WTForms is untyped
    """Any number of roles, as check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class SignInForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Name and password."""

    name = StringField("Name", validators=[DataRequired("Enter your name.")])
    password = PasswordField("Password", validators=[DataRequired("Enter your password.")])
    next = HiddenField()


class NewUserForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A user to be made; the one-time password is made up."""

    name = StringField(
        "Name", validators=[DataRequired("A user needs a name."), Length(max=NAME_LENGTH)]
    )
    display_name = StringField("Full name", validators=[Length(max=128)])
    email = EmailField(
        "E-mail",
        validators=[
            Optional(),
            Length(max=254),
            Regexp(r"[^@\s]+@[^@\s]+\Z", message="This is no e-mail address."),
        ],
    )
    roles = RolesField("Roles", choices=ROLE_CHOICES)

    def validate_name(self, field: StringField) -> None:
        """Names are checked here too, so that the sentence stands beside the field."""
        try:
            clean_name(field.data or "")
        except InvalidError as error:
            raise ValidationError(str(error)) from None


class RolesForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The roles that a user holds."""

    roles = RolesField("Roles", choices=ROLE_CHOICES)


class PasswordForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """One's own password, old and new."""

    current = PasswordField("Current password", validators=[DataRequired("Enter it once more.")])
    new = PasswordField(
        "New password",
        description=f"At least {SHORTEST} characters; a few words in a row are fine.",
        validators=[DataRequired("Enter the new password."), Length(max=LONGEST)],
    )
    repeated = PasswordField(
        "New password again",
        validators=[
            DataRequired("Enter the new password twice."),
            EqualTo("new", "The two new passwords differ; enter the same twice."),
        ],
    )
