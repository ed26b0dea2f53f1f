"""What the page of a new schedule takes: a path, what becomes of its file, and when."""

from collections.abc import Iterable, Sequence

from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.imports.forms import MODE_LABELS, MODE_WORDS
from portal.imports.orders import ImportOrder
from portal.imports.words import ImportMode, table_of
from portal.jobs.forms import CronForm
from portal.rows.processors import Processor
from portal.rows.profiles import Profile
from portal.visible import visible

PATH_LENGTH = 1024
BY_NAME = "by the names of the columns"


class ExpectedForm(CronForm):
    """The import of a file at a path: on a schedule, or just once."""

    path = StringField(
        "File",
        filters=[lambda text: (text or "").strip()],
        validators=[InputRequired("Say which file."), Length(max=PATH_LENGTH)],
        description="Its whole path in an allowed folder, its https address, or channel:NAME/FILE "
        "for one that a channel fetches. The name in a folder or channel may be a pattern like "
        "orders-*.csv: the newest file that fits is meant, if it was not imported before.",
    )
    table = SelectField("Table", validators=[InputRequired("Choose a table.")])
    mode = SelectField(
        "Mode", choices=[SelectChoice(str(mode), label) for mode, label in MODE_LABELS.items()]
    )
    profile = SelectField(
        "Mapping",
        default="",
        description="A saved mapping is for files with just its header. Without one, each header "
        "must be the name of a column.",
    )
    partial = SelectField(
        "If rows are bad",
        default="",
        choices=[
            SelectChoice("", "nothing is imported"),
            SelectChoice("yes", "the good ones are imported"),
        ],
    )

    def offer(self, tables: Iterable[Processor], profiles: Sequence[Profile]) -> None:
        """Let tables and saved mappings be chosen from; before validation."""
        names = [table_of(one.name) for one in tables]
        self.table.choices = [
            SelectChoice("", "Choose…"),
            *(SelectChoice(name, visible(name)) for name in names),
        ]
        self.profile.choices = [
            SelectChoice("", BY_NAME),
            *(SelectChoice(one.name, _label(one)) for one in profiles),
        ]

    @property
    def order(self) -> ImportOrder:
        """The import as it is worded; only after validation."""
        return ImportOrder.at(
            self.path.data,
            table=self.table.data,
            mode=ImportMode(self.mode.data),
            profile=self.profile.data,
            partial=self.partial.data == "yes",
        )


def _label(profile: Profile) -> str:
    table = table_of(profile.processor)
    return visible(f"{profile.name} ({table}, {MODE_WORDS[profile.mode]})")
