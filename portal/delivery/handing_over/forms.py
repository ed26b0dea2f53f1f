"""What the page of handing over takes from people."""

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.delivery.models import Channel
from portal.visible import visible


class DeliverForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """By which channel a file goes."""

    channel = SelectField("Channel", coerce=str, validators=[InputRequired("Choose a channel.")])
    at_once = BooleanField(
        "Send it at once",
        default=True,
        description="Else it goes with the next run of the channel.",
    )

    def offer(self, channels: Iterable[Channel]) -> None:
        """Let the channels be chosen from; before validation."""
        self.channel.choices = [
            SelectChoice("", "Choose…"),
            *(SelectChoice(str(one.id), _label(one)) for one in channels),
        ]


def _label(channel: Channel) -> str:
    paused = ", paused" if channel.paused else ""
    return visible(f"{channel.name} (to {channel.endpoint.name}{paused})")
