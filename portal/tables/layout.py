"""How a table is read and written as records: its fields, keys, references and codecs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from portal.tables.expressions import literal
from portal.tables.fields import fields_of, identities_of
from portal.tables.natural_keys import Reference, references_of
from portal.tables.quoting import quoted
from portal.tables.shapes import ColumnShape, Made, TableShape
from portal.tables.values import Codec, postgresql_codec, sqlite_codec
from portal.tabular.fields import Field, FieldType, Values


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a processor knows of its table, worked out once.

    `computed` are the columns whose default only the database knows; `blank` is a record of
    the defaults that are known.
    """

    shape: TableShape
    fields: tuple[Field, ...]
    identities: tuple[tuple[str, ...], ...]
    references: Mapping[str, Reference]
    codecs: Mapping[str, Codec]
    chosen: tuple[str, ...]
    joins: str
    computed: frozenset[str]
    blank: Values

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in the order in which `chosen` has them."""
        return tuple(field.name for field in self.fields)

    @property
    def key_columns(self) -> tuple[ColumnShape, ...]:
        """The columns that find a row again."""
        return tuple(self.shape.column(name) for name in self.shape.key)


def lay_out(
    shape: TableShape, tables: Mapping[str, TableShape], *, dialect: str, zone: ZoneInfo
) -> Layout:
    """The layout of `shape`, which refers to others of `tables`."""
    fields = tuple(_in_zone(field, zone) for field in fields_of(shape, tables))
    references = references_of(shape, tables)
    codec_of = postgresql_codec if dialect == "postgresql" else sqlite_codec
    codecs = {field.name: codec_of(shape.column(field.name), field, zone=zone) for field in fields}
    aliases = {name: f"r{place}" for place, name in enumerate(references)}
    return Layout(
        shape=shape,
        fields=fields,
        identities=identities_of(shape),
        references=references,
        codecs=codecs,
        chosen=(
            *(_as_text(f"t.{quoted(name)}") for name in shape.key),
            *(_chosen(field.name, codecs, references, aliases) for field in fields),
        ),
        joins=_joins(references, aliases),
        computed=frozenset(column.name for column in shape.columns if is_computed(column)),
        blank={field.name: field.default for field in fields},
    )


def _in_zone(field: Field, zone: ZoneInfo) -> Field:
    """So that what a file says of a moment equals what its column gives back."""
    return replace(field, zone=zone) if field.type is FieldType.DATETIME else field


def is_computed(column: ColumnShape) -> bool:
    """Say whether only the database knows what it gives to a column that a row leaves out."""
    said = (column.default or "null").strip("()").lower()
    if column.made is not Made.BY_DEFAULT or said.startswith("null"):
        return False
    return literal(column.default) is None


def _chosen(
    name: str,
    codecs: Mapping[str, Codec],
    references: Mapping[str, Reference],
    aliases: Mapping[str, str],
) -> str:
    reference = references.get(name)
    if reference is not None and not reference.is_plain:
        return _as_text(f"{aliases[name]}.{quoted(reference.word.name)}")
    own = f"t.{quoted(name)}"
    return _as_text(own) if codecs[name].as_text or reference is not None else own


def _joins(references: Mapping[str, Reference], aliases: Mapping[str, str]) -> str:
    parts: Sequence[str] = [
        f"LEFT JOIN {quoted(one.table)} AS {aliases[name]} "
        f"ON {aliases[name]}.{quoted(one.target)} = t.{quoted(name)}"
        for name, one in references.items()
        if not one.is_plain
    ]
    return " ".join(parts)


def _as_text(sql: str) -> str:
    return f"CAST({sql} AS text)"
