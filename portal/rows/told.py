"""How a saved mapping treats cells, in words. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.rows.rule_texts import RuleTexts, said, texts_of
from portal.rows.treatment import Treatment
from portal.tabular.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is done for a field, in a few words; `lines` are the values that stand for others."""

    field: str
    words: str
    lines: tuple[str, ...] = ()


def told(treatment: Treatment) -> list[Told]:
    """What `treatment` says, field by field; nothing where it says nothing."""
    return list(_told(treatment))


def _told(treatment: Treatment) -> Iterator[Told]:
    if treatment.identity:
        yield Told(field=" and ".join(treatment.identity), words="records are found by this")
    for name in dict.fromkeys((*treatment.rules, *treatment.empty)):
        texts = texts_of(treatment.rules.get(name, Rules()), treatment.empty.get(name))
        if texts != RuleTexts():
            lines = tuple(texts.values.split("\n")) if texts.values else ()
            yield Told(field=name, words=said(texts), lines=lines)
    for name, text in treatment.constants.items():
        yield Told(field=name, words=f"“{text}” for all rows")
