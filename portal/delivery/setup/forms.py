"""What the pages of channels take from people."""

from collections.abc import Iterable
from dataclasses import fields, replace

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from portal.delivery.channels import ChannelOptions
from portal.delivery.endpoints import NAME_LENGTH
from portal.delivery.models import Channel, Endpoint
from portal.delivery.states import AfterFetch, Direction
from portal.errors import InvalidError
from portal.jobs.cron import check_cron
from portal.jobs.forms import CronForm
from portal.visible import visible

PATH_LENGTH, LONGEST = 1024, 4000
MOST_DAYS = 36_500


class OptionsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What can be said of a channel at any time."""

    include = TextAreaField(
        "Only these files",
        validators=[Length(max=LONGEST)],
        description="Patterns like *.xml, one in each line; without any, all files.",
    )
    exclude = TextAreaField(
        "But not these",
        validators=[Length(max=LONGEST)],
        description="Patterns of files that stay where they are.",
    )
    keep_days = IntegerField(
        "Keep delivered files for days",
        validators=[Optional(), NumberRange(1, MOST_DAYS, "Give a number of days, at least 1.")],
        description="Older ones are removed from 'cur' after a run; empty: they stay for ever.",
    )
    after_fetch = SelectField(
        "A fetched file is then",
        choices=[
            SelectChoice(str(AfterFetch.REMOVE), "removed on the server"),
            SelectChoice(str(AfterFetch.MOVE), "moved to another folder on the server"),
            SelectChoice(str(AfterFetch.KEEP), "kept on the server, and remembered here"),
        ],
        description="Only after it is whole and safe here.",
    )
    done_folder = StringField(
        "Folder for fetched files",
        validators=[Length(max=255)],
        description="On the server, below the endpoint's folder; only where they are moved.",
    )

    ordered = BooleanField(
        "One after the other, in the order of the names",
        description="Else several connections may overtake one another, where the endpoint "
        "allows several.",
    )

    def options(self, before: ChannelOptions) -> ChannelOptions:
        """The options as they are worded; only after validation. What is not asked stays."""
        return replace(
            before,
            include=self.include.data or "",
            exclude=self.exclude.data or "",
            after_fetch=AfterFetch(self.after_fetch.data),
            done_folder=self.done_folder.data or "",
            keep_days=self.keep_days.data,
            ordered=self.ordered.data,
        )

    def show(self, channel: Channel) -> None:
        """Fill in how a channel stands."""
        self.include.data, self.exclude.data = channel.include, channel.exclude
        self.keep_days.data, self.ordered.data = channel.keep_days, channel.ordered
        self.after_fetch.data, self.done_folder.data = channel.after_fetch, channel.done_folder


class ChannelForm(OptionsForm):
    """A channel to be made."""

    name = StringField(
        "Name", validators=[DataRequired("Give the channel a name."), Length(max=NAME_LENGTH)]
    )
    endpoint = SelectField("Endpoint", validators=[InputRequired("Choose an endpoint.")])
    direction = RadioField(
        "Direction",
        choices=[
            SelectChoice(str(Direction.SEND), "send what comes into the spool"),
            SelectChoice(str(Direction.FETCH), "fetch what lies on the server"),
        ],
        default=str(Direction.SEND),
    )
    spool = StringField(
        "Spool",
        validators=[Length(max=PATH_LENGTH)],
        description="A name for a folder below PORTAL_DATA/delivery, or the whole path of one in "
        "PORTAL_DELIVERY_FOLDERS. Empty: called as the channel.",
    )
    cron = StringField(
        "When it runs by itself",
        validators=[Length(max=128)],
        description="A cron expression: minute, hour, day of month, month, day of week. "
        "Empty: only when asked for.",
    )

    def offer(self, endpoints: Iterable[Endpoint]) -> None:
        """Let the servers be chosen from; before validation."""
        self.endpoint.choices = [
            SelectChoice("", "Choose…"),
            *(SelectChoice(one.name, visible(one.name)) for one in endpoints),
        ]

    def validate_cron(self, field: StringField) -> None:
        """Refuse what is no cron expression, in words."""
        if not (field.data or "").strip():
            return
        try:
            check_cron(field.data.strip())
        except InvalidError as error:
            raise ValidationError(str(error)) from error


def options_of(channel: Channel) -> ChannelOptions:
    """What was said of a channel."""
    names = [field.name for field in fields(ChannelOptions)]
    return ChannelOptions(**{name: getattr(channel, name) for name in names})


class WhenForm(CronForm):
    """A further schedule of a channel."""
