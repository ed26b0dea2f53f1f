"""What the pages of projects take from people."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length

from portal.errors import InvalidError
from portal.projects.models import Policy, ProjectRole
from portal.projects.service import ID_RULE, TITLE_LENGTH, checked_id, checked_title

POLICY_LABELS = {
    Policy.OPEN: "open: everybody signed in sees and edits",
    Policy.MEDIUM: "medium: everybody signed in sees, members edit",
    Policy.CLOSED: "closed: only members see and edit",
}
ROLE_LABELS = {
    ProjectRole.MEMBER: "ProjectMember: sees and edits",
    ProjectRole.ADMIN: "ProjectAdmin: also exports, and manages members and settings",
}
POLICY_CHOICES = [SelectChoice(str(policy), label) for policy, label in POLICY_LABELS.items()]
ROLE_CHOICES = [SelectChoice(str(role), label) for role, label in ROLE_LABELS.items()]


def policy_from(asked: str) -> Policy | None:
    """The policy that an address asks for; None for none or a wrong one."""
    return Policy(asked) if asked in set(Policy) else None


def one_line(_form: FlaskForm, field: StringField) -> None:
    """The rule of titles is checked here too, so that the sentence stands beside the field."""
    try:
        checked_title(field.data or "")
    except InvalidError as error:
        raise ValidationError(str(error)) from None


TITLE_RULES = (DataRequired("A project needs a title."), Length(max=TITLE_LENGTH), one_line)


class NewProjectForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A project to be made."""

    title = StringField("Title", validators=TITLE_RULES)
    id = StringField("Id", validators=[DataRequired(ID_RULE)], description=ID_RULE)
    policy = RadioField("Policy", choices=POLICY_CHOICES, default=str(Policy.MEDIUM))

    def validate_id(self, field: StringField) -> None:
        """The rule of ids is checked here too, so that the sentence stands beside the field."""
        try:
            checked_id(field.data or "")
        except InvalidError as error:
            raise ValidationError(str(error)) from None


class SettingsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A project's title and policy."""

    title = StringField("Title", validators=TITLE_RULES)
    policy = RadioField("Policy", choices=POLICY_CHOICES)


class MemberForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A person and what he is in the project."""

    name = StringField("User name", validators=[DataRequired("Enter the name of a user.")])
    role = SelectField("Role", choices=ROLE_CHOICES)


class ExportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What an export holds."""

    pages_with_files = BooleanField("Pages with files", default=True)
    history = BooleanField("History of the pages", default=True)
    members_and_settings = BooleanField("Members and settings", default=True)
