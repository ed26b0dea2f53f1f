"""One of a few: yes or no, or one of the field's choices."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from portal.tabular.cells import CellError
from portal.tabular.fields import Choice, Field
from portal.tabular.markers import MARKERS

_WORDS: Final = dict.fromkeys(("1", "true", "on", "yes"), True) | dict.fromkeys(
    ("0", "false", "off", "no"), False
)
_COMMON: Final = {
    form(word): value for word, value in _WORDS.items() for form in (str, str.upper, str.title)
}
_NO_ANSWER = "Invalid value: write 1 or 0, true or false, yes or no, on or off"
_SHOWN = 12


class Booleans:
    """Yes or no by the words of `_WORDS`, in any case."""

    strict = True

    def __init__(self, _field: Field) -> None:
        pass

    def one(self, text: str) -> bool:
        """The answer that `text` gives."""
        answer = _WORDS.get(text.casefold())
        if answer is None:
            raise CellError(_NO_ANSWER)
        return answer

    def many(self, texts: Sequence[str]) -> Sequence[bool]:
        """As `one`, for the usual spellings."""
        return list(map(_COMMON.__getitem__, texts))

    def odd(self, texts: Sequence[str]) -> list[int]:
        """The places of other spellings, and of what is none."""
        return [place for place, text in enumerate(texts) if text not in _COMMON]


class Choices:
    """A choice by its value, or by value or label in any case where only one is meant."""

    strict = True

    def __init__(self, field: Field) -> None:
        self._values = {choice.value: choice.value for choice in field.choices}
        self._exact = {v: v for v in self._values if v == v.strip() and v not in MARKERS}
        self._folded = _folded(field.choices)
        self._message = _choose(field.choices)

    def one(self, text: str) -> str:
        """The choice that `text` names."""
        found = self._values.get(text) or self._folded.get(_fold(text))
        if found is None:
            raise CellError(self._message)
        return found

    def many(self, texts: Sequence[str]) -> Sequence[str]:
        """As `one`, for choices named exactly."""
        return list(map(self._exact.__getitem__, texts))

    def odd(self, texts: Sequence[str]) -> list[int]:
        """The places of other spellings, and of what is no choice."""
        return [place for place, text in enumerate(texts) if text not in self._exact]


def _folded(choices: Iterable[Choice]) -> dict[str, str]:
    """Values by folded value, and by folded label where this means one choice and no value."""
    values = _only_ones((_fold(choice.value), choice.value) for choice in choices)
    labels = _only_ones((_fold(choice.label), choice.value) for choice in choices if choice.label)
    taken = {_fold(choice.value) for choice in choices}
    return {label: value for label, value in labels.items() if label not in taken} | values


def _only_ones(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    listed = list(pairs)
    counts = Counter(name for name, _ in listed)
    return {name: value for name, value in listed if counts[name] == 1}


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _choose(choices: Sequence[Choice]) -> str:
    if not choices:
        return "Invalid value: this column has no allowed values"
    shown = ", ".join(f"'{choice.value}'" for choice in choices[:_SHOWN])
    more = f" or one of {len(choices) - _SHOWN} others" if len(choices) > _SHOWN else ""
    return f"Invalid value: write one of {shown}{more}"
