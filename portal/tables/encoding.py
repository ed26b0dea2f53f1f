"""Rows of values as columns of what the database takes; words of other tables become keys."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session

from portal.rows.processors import RefusedRowError
from portal.tables.layout import Layout
from portal.tables.lookups import Column, Question, Rows
from portal.tables.natural_keys import Reference
from portal.tables.original_texts import link_text
from portal.tables.quoting import quoted
from portal.tables.values import fits
from portal.tabular.fields import Values

Encoded = dict[str, Column]
Known = dict[str, dict[Any, Any]]  # words that were looked up, with their keys, by column
MOST_KNOWN = 50_000
Words = Mapping[Any, Any]  # what a column's row is called, by the word in the file


class Encoder:
    """Encodes the values of one table's rows."""

    def __init__(self, layout: Layout, rows: Rows, *, dialect: str) -> None:
        self._layout = layout
        self._rows = rows
        self._postgresql = dialect == "postgresql"

    def encode(self, session: Session, columns: Sequence[str], rows: Sequence[Values]) -> Encoded:
        """The `columns` of `rows`, column by column.

        Raises RefusedRowError where a word names no row of the table that it refers to.
        """
        found = self._columns(session, columns, rows)
        for name, (_, unknown) in found.items():
            if unknown:
                raise self._refusal(name, min(unknown.values(), key=str))
        return {name: values for name, (values, _) in found.items()}

    def encode_plain(self, columns: Mapping[str, Column]) -> Encoded:
        """Whole columns as they are stored, but for those that refer to other tables."""
        return {
            name: values if name in self._layout.references else self._encoded(name, values)
            for name, values in columns.items()
        }

    def refer(
        self, session: Session, columns: Mapping[str, Column], *, known: Known
    ) -> tuple[Encoded, dict[int, RefusedRowError]]:
        """The columns that refer to others, and by place the rows whose word names no row.

        `known` are words that were looked up already; it learns those that are looked up now.
        """
        encoded: Encoded = {}
        refused: dict[int, RefusedRowError] = {}
        for name, values in columns.items():
            reference, words = self._layout.references[name], known.setdefault(name, {})
            new = set(values).difference(words)
            if len(words) + len(new) > MOST_KNOWN:
                words.clear()
                new = set(values)
            words.update(self._known(session, reference, list(new)))
            encoded[name] = list(map(words.get, values))
            for place, word in enumerate(values) if None in encoded[name] else ():
                if word is not None and word not in words:
                    refused[place] = self._refusal(name, str(word))
        return encoded, refused

    def refer_to_known(
        self, columns: Mapping[str, Column], *, known: Known
    ) -> tuple[Encoded, list[int]]:
        """The columns that refer to others, without asking; and where a word is not `known`."""
        encoded: Encoded = {}
        lost: set[int] = set()
        for name, values in columns.items():
            keys = encoded[name] = list(map(known.get(name, {}).get, values))
            if None in keys:
                pairs = zip(keys, values, strict=True)
                lost.update(n for n, (key, word) in enumerate(pairs) if key is None is not word)
        return encoded, sorted(lost)

    def encode_known(
        self, session: Session, columns: Sequence[str], rows: Sequence[Values]
    ) -> tuple[Encoded, list[int]]:
        """The same for those rows whose words are all known, and their places."""
        found = self._columns(session, columns, rows)
        lost = {place for _, unknown in found.values() for place in unknown}
        places = [place for place in range(len(rows)) if place not in lost]
        return (
            {name: [values[place] for place in places] for name, (values, _) in found.items()},
            places,
        )

    def refusals(
        self, session: Session, columns: Sequence[str], rows: Sequence[Values]
    ) -> dict[int, RefusedRowError]:
        """What `encode` would refuse, by the place of the row."""
        found = self._columns(session, columns, rows)
        return {
            place: self._refusal(name, word)
            for name, (_, unknown) in found.items()
            for place, word in unknown.items()
        }

    def _columns(
        self, session: Session, columns: Sequence[str], rows: Sequence[Values]
    ) -> dict[str, tuple[Column, dict[int, str]]]:
        turned = _turned(columns, rows)
        return {
            name: self._column(session, name, values)
            for name, values in zip(columns, turned, strict=True)
        }

    def _column(self, session: Session, name: str, values: Column) -> tuple[Column, dict[int, str]]:
        """The values as they are stored, and the words that name nothing by their place."""
        reference = self._layout.references.get(name)
        if reference is not None:
            known = self._known(session, reference, values)
            unknown = {
                place: str(word)
                for place, word in enumerate(values)
                if word not in known and word is not None
            }
            return list(map(known.get, values)), unknown
        return self._encoded(name, values), {}

    def _encoded(self, name: str, values: Column) -> Column:
        encode = self._layout.codecs[name].encode
        if encode is None:
            return values
        if None in values:
            return [None if value is None else encode(value) for value in values]
        return list(map(encode, values))

    def _known(self, session: Session, reference: Reference, values: Column) -> Words:
        """The keys of the rows that are named by these words."""
        words = list({word for word in values if word is not None})
        asked = [word for word in words if fits(reference.word, str(word))]
        if not asked:
            return {}
        question = Question(
            table=reference.table,
            match=(reference.word,),
            asked=[[str(word) for word in asked]],
            chosen=(self._target(reference),),
        )
        return {asked[place]: key for place, key in self._rows.look_up(session, question)}

    def _target(self, reference: Reference) -> str:
        own = f"t.{quoted(reference.target)}"
        return f"CAST({own} AS text)" if self._postgresql else own

    def _refusal(self, column: str, word: str) -> RefusedRowError:
        reference = self._layout.references[column]
        return RefusedRowError(
            f"There is no row of {reference.table!r} whose {reference.word.name} is {word!r}.",
            field=column,
            original=link_text(reference.table, word),
        )


def _turned(columns: Sequence[str], rows: Sequence[Values]) -> list[Column]:
    if len(columns) == 1:
        return [[row.get(columns[0]) for row in rows]]
    return list(zip(*map(itemgetter(*columns), rows), strict=True))
