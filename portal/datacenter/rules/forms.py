"""What the pages of rules take from people."""

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import IntegerField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.datacenter.rules.expectations import (
    CRON_LENGTH,
    DAYS,
    MOST_GRACE_MINUTES,
    WORKDAYS,
    ByTime,
    cron_of,
    find_time,
)
from portal.datacenter.rules.models import WatchRule
from portal.datacenter.rules.service import LAST_PLACE, NAME_LENGTH, RuleWish
from portal.datacenter.steps import Folder
from portal.errors import InvalidError
from portal.jobs.cron import check_cron
from portal.patterns import LONGEST, checked_pattern
from portal.rows.processors import Mode, Processor
from portal.rows.profiles import Profile

NOT, TIME, CRON = "not", "time", "cron"
PROPOSED = "As proposed from the header of each file"


class RuleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A rule to be made or changed."""

    name = StringField(
        "Name", validators=[DataRequired("Give the rule a name."), Length(max=NAME_LENGTH)]
    )
    pattern = StringField(
        "Files",
        validators=[DataRequired("Say which files."), Length(max=LONGEST)],
        description="A pattern of names: * stands for any characters, ? for one, "
        "[ab] for one of these. Files of failed rows (.pending.csv) are never taken.",
    )
    processor = SelectField("Processor", validators=[InputRequired("Choose a processor.")])
    mode = SelectField("Mode", choices=[SelectChoice(str(mode), str(mode)) for mode in Mode])
    reason = SelectField(
        "Reason of removals",
        choices=[SelectChoice(str(one), str(one)) for one in (Folder.DELETED, Folder.GRADUATED)],
        description="Only in mode remove: into that folder removed records are backed up.",
    )
    profile = SelectField(
        "Mapping",
        description="A saved mapping is for files with just its header; "
        "others wait, and you are told.",
    )
    place = IntegerField(
        "Place",
        validators=[InputRequired("Give a number."), NumberRange(1, LAST_PLACE)],
        description="The first rule that a file fits takes it, the smallest place first.",
    )
    expect = RadioField(
        "A file is expected",
        choices=[
            SelectChoice(NOT, "at no certain time"),
            SelectChoice(TIME, "by a time of day"),
            SelectChoice(CRON, "by a cron expression"),
        ],
        default=NOT,
    )
    by = StringField("Time", default="08:00", description="HH:MM, for “by a time of day”.")
    days = SelectMultipleField(
        "Days",
        choices=[SelectChoice(number, day) for number, day in enumerate(DAYS, start=1)],
        coerce=int,
        default=list(WORKDAYS),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    cron = StringField(
        "Cron expression",
        validators=[Length(max=CRON_LENGTH)],
        description="Minute, hour, day of month, month, day of week. "
        "0 8 1 * * is 08:00 on the first of each month.",
    )
    grace = IntegerField(
        "Grace in minutes",
        default=30,
        validators=[InputRequired("Give a number."), NumberRange(0, MOST_GRACE_MINUTES)],
        description="So long after the expected time you are told that no file came.",
    )

    def offer(self, processors: Iterable[Processor], profiles: Iterable[Profile]) -> None:
        """Let the processors and saved mappings be chosen from; before validation."""
        self.processor.choices = [
            SelectChoice("", "Choose…"),
            *(SelectChoice(one.name, one.title) for one in processors),
        ]
        self.profile.choices = [
            SelectChoice("", PROPOSED),
            *(SelectChoice(p.name, f"{p.name} ({p.processor}, {p.mode})") for p in profiles),
        ]

    def show(self, rule: WatchRule) -> None:
        """Fill the form with a rule as it stands."""
        for name in ("name", "pattern", "processor", "mode", "reason", "profile", "place"):
            self[name].data = getattr(rule, name)
        if not rule.expected:
            return
        by = find_time(rule.expected)
        self.expect.data, self.grace.data = (TIME if by else CRON), rule.grace_minutes
        self.cron.data = "" if by else rule.expected
        if by:
            self.by.data, self.days.data = by.time, list(by.days)

    @property
    def wish(self) -> RuleWish:
        """The rule as it is worded; only after validation."""
        return RuleWish(
            name=self.name.data,
            pattern=self.pattern.data,
            processor=self.processor.data,
            mode=Mode(self.mode.data),
            place=self.place.data,
            reason=Folder(self.reason.data),
            profile=self.profile.data,
            expected=self.expected(),
            grace_minutes=self.grace.data,
        )

    def expected(self) -> str:
        """The cron expression of what is expected; raises InvalidError for a wrong time."""
        if self.expect.data == TIME:
            return cron_of(ByTime(time=self.by.data or "", days=tuple(self.days.data or ())))
        return (self.cron.data or "").strip() if self.expect.data == CRON else ""

    def validate_pattern(self, field: StringField) -> None:
        """Refuse what is no pattern, beside the field."""
        try:
            checked_pattern(field.data)
        except InvalidError as error:
            raise ValidationError(str(error)) from error

    def validate_by(self, _field: StringField) -> None:
        """Refuse what is no time, or on no day."""
        if self.expect.data == TIME:
            try:
                self.expected()
            except InvalidError as error:
                raise ValidationError(str(error)) from error

    def validate_cron(self, field: StringField) -> None:
        """Refuse what is no cron expression, in words."""
        if self.expect.data == CRON:
            try:
                check_cron(field.data or "")
            except InvalidError as error:
                raise ValidationError(str(error)) from error
