"""Texts of several kinds. All are kept as written, leading zeros included."""

import re
from collections.abc import Sequence

from portal.tabular.cells import CellError
from portal.tabular.fields import Field
from portal.tabular.markers import MARKERS

_MOST_OF_EMAIL = 254
_UNSTORABLE = "Invalid input: a character in here cannot be stored; type the text anew"
_ONE_LINE = "Invalid input: write it in one line"
_NO_EMAIL = "Invalid value: write an e-mail address such as name@example.org"
_NO_PHONE = "Invalid value: write the phone number as country-area-number, such as +234-803-123456"
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+").fullmatch
_PRINTED = r"[!#-+\--:=?A-~]++"
_EMAILS = re.compile(rf"{_PRINTED}@{_PRINTED}(?:\n{_PRINTED}@{_PRINTED})*+").fullmatch
_PHONE = re.compile(r"\+?[0-9]{1,4}-[0-9]{1,8}-[0-9](?:-?[0-9]){0,19}").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]").search


class Texts:
    """Any text, several lines included, up to `max_length` characters."""

    strict = False

    def __init__(self, field: Field) -> None:
        self._most = field.max_length

    def plain(self, text: str) -> object:
        """Whether `text` is no marker; `many` takes nearly any other."""
        return text not in MARKERS

    def one(self, text: str) -> str:
        """`text` itself."""
        if "\x00" in text or not is_storable(text):
            raise CellError(_UNSTORABLE)
        if self._most is not None and len(text) > self._most:
            raise CellError(too_long(text, self._most))
        return text

    def many(self, texts: Sequence[str]) -> Sequence[str]:
        """As `one`."""
        joined = "".join(texts)
        if "\x00" in joined or not is_storable(joined):
            raise ValueError
        if self._most is not None and max(map(len, texts)) > self._most:
            raise ValueError
        return texts


class References(Texts):
    """The name of another record, in one line; who takes the value looks for the record."""

    def one(self, text: str) -> str:
        """`text` itself."""
        if _CONTROL(text):
            raise CellError(_ONE_LINE)
        return super().one(text)

    def many(self, texts: Sequence[str]) -> Sequence[str]:
        """As `one`."""
        if _CONTROL("".join(texts)):
            raise ValueError
        return super().many(texts)


class Emails(References):
    """Something with one @ in it and no spaces; whether it exists only a message can tell."""

    strict = True

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self._longest = min(field.max_length or _MOST_OF_EMAIL, _MOST_OF_EMAIL)
        self._most = self._longest

    def one(self, text: str) -> str:
        """`text` itself."""
        if not _EMAIL(text):
            raise CellError(_NO_EMAIL)
        return super().one(text)

    def many(self, texts: Sequence[str]) -> Sequence[str]:
        """As `one`, for addresses in ASCII."""
        joined = "\n".join(texts)
        if joined.count("\n") >= len(texts) or not _EMAILS(joined):
            raise ValueError
        if max(map(len, texts)) > self._longest:
            raise ValueError
        return texts

    def plain(self, text: str) -> object:
        """Whether `text` is an address in ASCII."""
        return _EMAILS(text)


class Phones(References):
    """Country, area and number, parted by strokes."""

    strict = True

    def one(self, text: str) -> str:
        """`text` itself."""
        if not _PHONE(text):
            raise CellError(_NO_PHONE)
        return super().one(text)

    def many(self, texts: Sequence[str]) -> Sequence[str]:
        """As `one`."""
        if not all(map(_PHONE, texts)):
            raise ValueError
        return super().many(texts)

    def plain(self, text: str) -> object:
        """Whether `text` is a phone number."""
        return _PHONE(text)


def is_storable(text: str) -> bool:
    """Whether `text` is Unicode that can be written, which half of a surrogate pair cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def too_long(text: str, most: int) -> str:
    """The words for a text of more than `most` characters."""
    return f"Invalid input: at most {most} characters, this has {len(text)}"
