"""New records, put together from what was written only where somebody looks at them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import overload

from portal.rows.processors import Record
from portal.tables.keys import joined
from portal.tables.lookups import Column
from portal.tabular.fields import Value, Values


class Composed(Sequence[Record]):
    """The records of new rows.

    Their values are those of the row, what the database `made` up (whole numbers where it has
    `counters`), else those of the `blank`. `keys` are the key's columns.
    """

    def __init__(
        self,
        rows: Sequence[Values],
        *,
        keys: Sequence[Column],
        made: Mapping[str, Column],
        counters: Collection[str],
        blank: Values,
    ) -> None:
        self._rows = rows
        self._keys = keys
        self._made = made
        self._counters = counters
        self._blank = blank

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Record: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...

    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        made = {name: self._value(name, column[place]) for name, column in self._made.items()}
        key = joined([column[place] for column in self._keys])
        return Record(key=key, values={**self._blank, **self._rows[place], **made})

    def _value(self, name: str, made: object) -> Value:
        return int(str(made)) if name in self._counters else str(made)
