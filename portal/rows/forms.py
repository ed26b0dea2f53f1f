"""What the mapping form of every area takes from people, and what its template is given."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from portal.rows.looking import DELIMITERS, QUOTES, Wish
from portal.rows.mapped import Names
from portal.rows.processors import Mode
from portal.rows.rule_texts import CASES, EMPTIES, NUMBERS, PARTS, RuleTexts, said
from portal.rows.treating import Asked, asked_of
from portal.rows.treatment import Treatment
from portal.tabular.encoding import ENCODINGS
from portal.tabular.formats import DELIMITER_NAMES, Format
from portal.web.numbers import numbered

CONSTANT = "constant-"
LONGEST = 3_500  # of the 4,094 characters that an address may have


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
        "processor_word": "Processor",
        "as_key": lambda names: json.dumps(list(names)),
    }


def mapping_query(
    *,
    processor: str,
    mode: Mode,
    fmt: Format,
    columns: Sequence[str | None],
    treatment: Treatment,
) -> dict[str, str]:
    """What `wish_of` takes, so that the form is filled in as it was for an order.

    Servers refuse long addresses: of a mapping that is too long for one, the columns are left out.
    """
    asked = asked_of(treatment, columns)
    reading = {"processor": processor, "mode": str(mode), "sheet": fmt.sheet}
    if fmt.kind == "csv":
        quote = next(name for name, sign in QUOTES.items() if sign == fmt.quote)
        delimiter = DELIMITER_NAMES.get(fmt.delimiter, "")
        reading |= {"encoding": fmt.encoding, "delimiter": delimiter, "quote": quote}
    reading = {name: text for name, text in reading.items() if text}
    said = {"mapped_for": processor}
    said |= {f"column-{number}": name or "" for number, name in enumerate(columns)}
    for number, texts in asked.rules.items():
        said |= {f"rule-{part}-{number}": getattr(texts, part) for part in PARTS}
    said |= {f"{CONSTANT}{name}": text for name, text in asked.constants.items()}
    said["key"] = json.dumps(list(asked.key)) if asked.key else ""
    said = {name: text for name, text in said.items() if text or name.startswith("column-")}
    whole = reading | said
    return whole if len(urlencode(whole)) < LONGEST else reading


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
