"""What one column holds, learnt some rows at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from portal.tabular.fields import FieldType
from portal.tabular.markers import MARKERS
from portal.tabular.number_formats import NumberFormat
from portal.tabular.survey.distinct import Distinct
from portal.tabular.survey.kinds import has_offset, places_of, type_of, widened
from portal.tabular.survey.written import COMMA, POINT, Written, agreed

SAMPLES = 3
SAMPLE_LENGTH = 60
LONGEST_KEY = 64  # characters; what is longer is no name of a row
_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL)
_NAMING = (FieldType.INTEGER, FieldType.TEXT, FieldType.DATE)


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """What all cells of a column have in common.

    `before` and `scale` are the most digits before and after the point, `number` how numbers are
    written where not with a point alone, `offset` whether moments say how far their clock is from
    Greenwich. `unique`: no cell is empty, and none comes twice.
    """

    header: str
    type: FieldType
    before: int = 0
    scale: int = 0
    number: NumberFormat | None = None
    offset: bool = False
    filled: int = 0
    empty: int = 0
    unique: bool = False
    samples: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What `from_json` makes the same facts of."""
        return asdict(self) | {"type": str(self.type), "samples": list(self.samples)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The facts that `as_json` gave."""
        number = said.get("number")
        known = {
            "type": FieldType(said["type"]),
            "number": None if number is None else NumberFormat.from_json(number),
            "samples": tuple(said["samples"]),
        }
        return cls(**{**said, **known})


class ColumnSurvey:
    """Goes through the cells of a column once. Where `watched`, it finds whether all differ."""

    def __init__(self, header: str, *, watched: Path | None, spreadsheet: bool = False) -> None:
        self._header = header
        self._type: FieldType | None = None
        self._before = self._scale = self._filled = self._empty = 0
        self._offset = False
        self._samples: list[str] = []
        self._comma = Written(COMMA, spreadsheet=spreadsheet)
        self._point = Written(POINT, spreadsheet=spreadsheet)
        self._distinct = None if watched is None else Distinct(watched)

    def add(self, cells: Sequence[str]) -> None:
        """Learn from more cells."""
        texts = list(map(str.strip, cells))
        known = set(texts)
        missing = known & MARKERS
        empty = sum(map(texts.count, missing))
        self._empty += empty
        self._filled += len(texts) - empty
        self._watch(texts, known, lacking=bool(missing))
        if known := known - missing:
            self._learn(known)
        if len(self._samples) < SAMPLES:
            self._sample(texts)

    def facts(self) -> ColumnFacts:
        """What was learnt."""
        kind = self._type or FieldType.TEXT
        naming = kind in _NAMING and self._filled > 0
        written = agreed((self._comma, self._point)) if kind is FieldType.TEXT else None
        return ColumnFacts(
            header=self._header,
            type=FieldType.DECIMAL if written else kind,
            before=max(self._before, written.before if written else 0),
            scale=written.scale if written else self._scale,
            number=written.format if written else None,
            offset=self._offset,
            filled=self._filled,
            empty=self._empty,
            unique=naming and self._distinct is not None and self._distinct.all_different(),
            samples=tuple(self._samples),
        )

    def close(self) -> None:
        """Let go what was kept to tell cells apart."""
        if self._distinct is not None:
            self._distinct.close()
            self._distinct = None

    def _learn(self, texts: set[str]) -> None:
        self._type = type_of(texts) if self._type is None else widened(self._type, texts)
        if self._type in _NUMBERS:
            before, scale = places_of(texts)
            self._before, self._scale = max(self._before, before), max(self._scale, scale)
            self._point.note(before=before, scale=scale)
        if self._type is FieldType.DATETIME:
            self._offset = self._offset or has_offset(texts)
        if self._type is not FieldType.INTEGER and self._comma:
            self._comma.add(texts)  # whole numbers are fine in all ways
        if self._type not in _NUMBERS and self._point:
            self._point.add(texts)

    def _watch(self, texts: Sequence[str], known: set[str], *, lacking: bool) -> None:
        if self._distinct is None:
            return
        if lacking or len(known) < len(texts) or max(map(len, known)) > LONGEST_KEY:
            self.close()
            return
        self._distinct.add(texts)

    def _sample(self, texts: Sequence[str]) -> None:
        for text in texts:
            short = text[:SAMPLE_LENGTH]
            if text not in MARKERS and short not in self._samples:
                self._samples.append(short)
                if len(self._samples) == SAMPLES:
                    return
