"""How the cells of a file are treated, besides which column is which field."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from portal.errors import InvalidError
from portal.tabular.fields import Empty
from portal.tabular.rules import Rules, rules_as_json, rules_from_json


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """`rules` put texts right, `constants` are texts for fields without a column, both by field.

    `empty` says by field what an empty cell means, where it is not what the field itself says.
    `identity` are the fields that name a record; empty for the processor's own choice.
    """

    rules: Mapping[str, Rules] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    empty: Mapping[str, Empty] = field(default_factory=dict)
    identity: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is said, as JSON has it."""
        said = {
            "rules": rules_as_json(self.rules),
            "constants": dict(self.constants),
            "empty": {name: str(one) for name, one in self.empty.items()},
            "identity": list(self.identity),
        }
        return {name: value for name, value in said.items() if value}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The treatment that `as_json` gave; raise InvalidError for anything else."""
        known = [part.name for part in fields(cls)]
        if unknown := sorted(said.keys() - set(known)):
            raise InvalidError(f"There is no {', '.join(unknown)}; there are {', '.join(known)}.")
        try:
            empty = {name: Empty(one) for name, one in _texts(said, "empty").items()}
        except ValueError:
            raise InvalidError(f"An empty cell means one of {', '.join(Empty)}.") from None
        identity = said.get("identity", [])
        if not isinstance(identity, list) or not all(isinstance(name, str) for name in identity):
            raise InvalidError("'identity' is a list of fields.")
        return cls(
            rules=rules_from_json(said.get("rules", {})),
            constants=_texts(said, "constants"),
            empty=empty,
            identity=tuple(identity),
        )


def _texts(said: Mapping[str, Any], name: str) -> dict[str, str]:
    texts = said.get(name, {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise InvalidError(f"'{name}' gives a text for each field.")
    return texts


PLAIN = Treatment()
