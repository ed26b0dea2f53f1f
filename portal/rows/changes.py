"""What very many records were before they were changed, and what they are then. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import ne, or_

from portal.rows.many_images import Pieces, hashes, images, images_of_some, pieces_of
from portal.rows.many_images import settled_pieces as settled
from portal.tabular.fields import Value

Columns = Mapping[str, Sequence[Value]]
Flags = Sequence[bool]


@dataclass(frozen=True, kw_only=True)
class Held:
    """Records that were found, column by column: the rows that name them, keys and values.

    `places` are those in what was asked; of two columns each has one item for each record.
    """

    places: Sequence[int]
    keys: Sequence[str]
    values: Columns


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What the ledger keeps of records that were changed: keys, images as JSON, hashes."""

    keys: Sequence[str] = field(default_factory=list)
    before: Sequence[str] = field(default_factory=list)
    after: Sequence[str] = field(default_factory=list)
    hashes: Sequence[bytes] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Differing:
    """Records that are not as their rows say, what those say, and in which fields they differ."""

    held: Held
    said: Columns
    flags: Mapping[str, Flags]

    @property
    def names(self) -> list[str]:
        """The fields in which any record differs."""
        return [name for name, flags in self.flags.items() if True in flags]

    def but(self, places: Mapping[int, object]) -> "Differing":
        """Those that are not named by the rows at `places`."""
        left = [place not in places for place in self.held.places]
        return self if all(left) else _chosen(self, left)


def differing(held: Held, said: Columns, *, identity: Sequence[str]) -> Differing:
    """Those of `held` that are not as `said`; what names them is not compared."""
    flags = {
        name: list(map(ne, held.values[name], values))
        for name, values in said.items()
        if name not in identity
    }
    every = Differing(held=held, said=said, flags=flags)
    anywhere: Flags = [False] * len(held.places)
    for some in flags.values():
        anywhere = list(map(or_, anywhere, some))
    return every if all(anywhere) else _chosen(every, anywhere)


def changes_of(differing: Differing) -> Changes:
    """What the ledger is to keep once each record is as its row says."""
    before = {name: pieces_of(values) for name, values in differing.held.values.items()}
    now = {name: _now(differing, name, pieces) for name, pieces in before.items()}
    compared = {name: now[name][1] for name in differing.flags}
    return Changes(
        keys=differing.held.keys,
        before=images(before),
        after=images_of_some(compared, differing.flags),
        hashes=hashes({name: settled(*both) for name, both in now.items()}),
    )


def _now(differing: Differing, name: str, before: Pieces) -> tuple[Sequence[Value], Pieces]:
    """The values of a field once they are changed; equal ones stay in the form that they have."""
    old, flags = differing.held.values[name], differing.flags.get(name, ())
    if True not in flags:
        return old, before
    said = differing.said[name]
    if False in flags:
        pairs = zip(old, said, flags, strict=True)
        said = [new if differs else kept for kept, new, differs in pairs]
    return said, pieces_of(said)


def _chosen(differing: Differing, flags: Flags) -> Differing:
    def some(columns: Mapping[str, Sequence[Value]]) -> Columns:
        return {name: list(compress(values, flags)) for name, values in columns.items()}

    held = differing.held
    return Differing(
        held=Held(
            places=list(compress(held.places, flags)),
            keys=list(compress(held.keys, flags)),
            values=some(held.values),
        ),
        said=some(differing.said),
        flags={name: list(compress(some, flags)) for name, some in differing.flags.items()},
    )
