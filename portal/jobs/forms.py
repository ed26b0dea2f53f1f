"""What jobs' pages take from people: the list's filter and the form of a schedule."""

import json
from collections.abc import Iterable, Mapping

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from portal.errors import InvalidError
from portal.jobs.cron import check_cron
from portal.jobs.models import JobState
from portal.jobs.queries import JobFilter
from portal.jobs.schedules import Offer


def job_filter(asked: Mapping[str, str]) -> JobFilter:
    """The filter that an address asks for; what makes no sense is left out."""
    state = asked.get("state", "")
    return JobFilter(
        all_users=asked.get("scope") == "all",
        area=asked.get("area", "")[:32],
        state=state if state in set(JobState) else "",
        user=asked.get("user", "").strip()[:64],
        text=asked.get("text", "").strip()[:100],
        older_than=_number(asked.get("older")),
        newer_than=_number(asked.get("newer")),
        until=_number(asked.get("until")),
    )


def filter_query(wanted: JobFilter) -> dict[str, str]:
    """The address's part that stands for `wanted`, without its page."""
    values = {
        "scope": "all" if wanted.all_users else "",
        "area": wanted.area,
        "state": wanted.state,
        "user": wanted.user,
        "text": wanted.text,
    }
    return {name: value for name, value in values.items() if value}


class CronForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """When something is to be done again and again."""

    cron = StringField(
        "When",
        validators=[InputRequired("Say when, as a cron expression."), Length(max=128)],
        description="Minute, hour, day of month, month, day of week. "
        "0 3 * * 1-5 is 03:00 on workdays.",
    )

    def validate_cron(self, field: StringField) -> None:
        """Refuse what is no cron expression, in words."""
        try:
            check_cron(field.data)
        except InvalidError as error:
            raise ValidationError(str(error)) from error


class ScheduleForm(CronForm):
    """Which job to ask for, and when."""

    offer = SelectField("Job", validators=[InputRequired("Choose a job.")])

    def __init__(self, offers: Iterable[Offer]) -> None:
        self._offers = {_value(offer): offer for offer in offers}
        super().__init__()
        self.offer.choices = [SelectChoice("", "Choose…")] + [
            SelectChoice(value, f"{offer.kind.label}: {offer.label}")
            for value, offer in self._offers.items()
        ]

    @property
    def chosen(self) -> Offer:
        """The offer that was chosen; only after validation."""
        return self._offers[self.offer.data]


def _value(offer: Offer) -> str:
    return json.dumps([offer.kind.name, dict(offer.args)], sort_keys=True)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
