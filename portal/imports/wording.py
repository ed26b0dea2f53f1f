"""What somebody words in the shell: pairs of columns and what is said of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from portal.errors import InvalidError
from portal.rows.treatment import Treatment
from portal.tabular.fields import Empty

EMPTY = {"null": Empty.CLEAR, "default": Empty.DEFAULT, "keep": Empty.KEEP}


def pairs_of(texts: Iterable[str], *, option: str, shape: str) -> dict[str, str]:
    """The pairs NAME=VALUE; raises InvalidError where one is none, or a name comes twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if option == "--map":
            name, sign, value = text.rpartition("=")
        if not sign or not name.strip() or name in found:
            raise InvalidError(f"{option} wants {shape} once for a column, not {text!r}.")
        found[name] = value
    return found


def treatment_of(
    *, empty: Mapping[str, str], constants: Mapping[str, str], key: Sequence[str]
) -> Treatment:
    """How cells are treated, as it was worded; raises InvalidError."""
    unknown = sorted(set(empty.values()) - set(EMPTY))
    if unknown:
        raise InvalidError(f"An empty cell means one of {', '.join(EMPTY)}, not {unknown[0]!r}.")
    return Treatment(
        constants=dict(constants),
        empty={name: EMPTY[word] for name, word in empty.items()},
        identity=tuple(key),
    )
