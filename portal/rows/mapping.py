"""What becomes of a file as somebody words it: choices, and fields for columns by header."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from portal.errors import InvalidError
from portal.rows.looking import Known, Look, Remembered, Wish, look
from portal.rows.processors import Mode, Processor
from portal.rows.profiles import Profile, find_profile
from portal.rows.treatment import Treatment
from portal.runtime import Runtime
from portal.tabular.formats import DELIMITER_NAMES


@dataclass(frozen=True, kw_only=True)
class Worded:
    """What is to be done with a file. `fields` gives the field, "" for none, by column header.

    What is left open in `reading` is found; columns that `fields` does not name are mapped as they
    were saved or are proposed. `treatment` stands in the place of the saved one.
    """

    processor: Processor
    mode: Mode
    reading: Wish = field(default_factory=Wish)
    fields: Mapping[str, str] = field(default_factory=dict)
    treatment: Treatment | None = None


def look_as_worded(
    path: Path,
    *,
    name: str,
    worded: Worded,
    known: Known = lambda _header, _processor, _mode: None,
    mode: str = "",
) -> Look:
    """The file at `path` as it is to be processed: `format`, `mapping` and `treatment` say how.

    Where `mode` is given, there is no other, and the caller looks at the mode that comes back.
    Raises InvalidError where the file cannot be processed as it was worded.
    """
    processor = worded.processor
    wish = replace(
        worded.reading,
        processor=processor.name,
        mode=str(worded.mode),
        treatment=worded.treatment,
    )

    def seen(wish: Wish) -> Look:
        found = look(path, name=name, wish=wish, processors=[processor], known=known, mode=mode)
        if found.preview.fault is not None:
            raise InvalidError(str(found.preview.fault))
        return found

    found = seen(wish)
    if worded.fields:
        columns = _columns(found.preview.header, worded.fields, processor)
        found = seen(replace(wish, columns=columns))
    if worded.mode not in processor.modes:
        allowed = " or ".join(processor.modes)
        raise InvalidError(f"{processor.title} can only be processed in mode {allowed}.")
    return found


def reading_of(
    *, encoding: str = "", delimiter: str = "", quote: str = "", sheet: str = ""
) -> Wish:
    """How a file shall be read; a delimiter is named, or given as the sign that it is."""
    sign = "\t" if delimiter == "\\t" else delimiter
    return Wish(
        encoding=encoding,
        delimiter=DELIMITER_NAMES.get(sign, delimiter),
        quote=quote,
        sheet=sheet,
    )


def saved_mappings(runtime: Runtime) -> Known:
    """What was once saved for files with the same header."""

    def known(header: Sequence[str], processor: str, mode: Mode) -> Remembered | None:
        with runtime.reads() as session:
            profile = find_profile(session, header=header, processor=processor, mode=mode)
        return None if profile is None else as_saved(profile)

    return known


def as_saved(profile: Profile) -> Remembered:
    """What a saved mapping says of files with its header."""
    words = "The columns are mapped as they were saved for files like this"
    return Remembered(
        columns=profile.columns,
        treatment=profile.treatment,
        words=f"{words} ({profile.name}, version {profile.version}).",
    )


def _columns(
    header: Sequence[str], fields: Mapping[str, str], processor: Processor
) -> dict[int, str]:
    stripped = [name.strip() for name in header]
    unknown = [name for name in fields if name.strip() not in stripped]
    if unknown:
        raise InvalidError(
            f"The file has no column {_listed(unknown)}; it has {_listed(stripped)}."
        )
    names = [one.name for one in processor.fields]
    missing = [name for name in fields.values() if name and name not in names]
    if missing:
        raise InvalidError(
            f"{processor.title} has no field {_listed(missing)}; it has {_listed(names)}."
        )
    return {stripped.index(column.strip()): name for column, name in fields.items()}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
