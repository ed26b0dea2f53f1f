"""What people wrote, shown so that it cannot pass for something else: one line, read one way."""

import re

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Control characters, halves of characters, further line ends; and what turns the direction of a
# text round (unicode.org/reports/tr9, "Explicit Directional Formatting Characters" and marks).
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""`text` with each control character, line end and turn of direction written as `\u202e`."""
    return _HIDDEN.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"
