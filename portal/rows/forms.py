"""What the mapping form of every area takes from people, and what its template is given."""

import json
from collections.abc import Mapping
from typing import Any

from portal.rows.looking import DELIMITERS, QUOTES, Wish
from portal.rows.mapped import Names
from portal.rows.rule_texts import CASES, EMPTIES, NUMBERS, PARTS, RuleTexts, said
from portal.rows.treating import Asked
from portal.tabular.encoding import ENCODINGS
from portal.web.numbers import numbered

CONSTANT = "constant-"


def wish_of(asked: Mapping[str, str], *, processor: str = "") -> Wish:
    """What was chosen on the page so far; what is not there is found, or is as it was saved.

    `processor` is the one to begin with. Columns and rules of another processor do not count.
    """
    chosen = asked.get("processor", processor)
    filled = bool(chosen) and asked.get("mapped_for", "") == chosen
    return Wish(
        processor=chosen,
        mode=asked.get("mode", ""),
        encoding=asked.get("encoding", ""),
        delimiter=asked.get("delimiter", ""),
        quote=asked.get("quote", ""),
        sheet=asked.get("sheet", ""),
        columns=numbered(asked, "column-") if filled else {},
        asked=_asked(asked) if filled else None,
    )


def mapping_words() -> dict[str, Any]:
    """The choices that `rows/_mapping.html` offers; an area's page gives them to its template."""
    return {
        "encodings": list(ENCODINGS.items()),
        "delimiters": list(DELIMITERS),
        "quotes": list(QUOTES),
        "cases": CASES,
        "number_formats": NUMBERS,
        "empties": EMPTIES,
        "said": said,
        "rule_parts": PARTS,
        "mode_words": {},
        "as_key": lambda names: json.dumps(list(names)),
    }


def _asked(asked: Mapping[str, str]) -> Asked:
    texts: dict[int, dict[str, str]] = {}
    for part in PARTS:
        for number, text in numbered(asked, f"rule-{part}-").items():
            texts.setdefault(number, {})[part] = text
    constants = {
        name.removeprefix(CONSTANT): text.strip()
        for name, text in asked.items()
        if name.startswith(CONSTANT)
    }
    return Asked(
        rules={number: RuleTexts(**parts) for number, parts in texts.items()},
        constants=constants,
        key=_key(asked.get("key", "")),
    )


def _key(text: str) -> Names:
    """The fields of a key that was chosen; none for whatever else is sent."""
    try:
        names = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return ()
    texts = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if texts else ()
