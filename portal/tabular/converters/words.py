"""Texts of several kinds. All are kept as written, leading zeros included."""

import re
from collections.abc import Sequence

from portal.tabular.cells import CellError
from portal.tabular.converters.screens import lines_of
from portal.tabular.fields import Field

_MOST_OF_EMAIL = 254
_UNSTORABLE = "Invalid input: a character in here cannot be stored; type the text anew"
_ONE_LINE = "Invalid input: write it in one line"
_NO_EMAIL = "Invalid value: write an e-mail address such as name@example.org"
_NO_PHONE = "Invalid value: write the phone number as country-area-number, such as +234-803-123456"
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+").fullmatch
_EMAIL_SIGNS = bytes(sorted(set(range(0x21, 0x7F)) - set(b'<>,;"')))
_EMAIL_SIGNS_BUT_AT = _EMAIL_SIGNS.replace(b"@", b"")
_PHONE = re.compile(r"\+?[0-9]{1,4}-[0-9]{1,8}-[0-9](?:-?[0-9]){0,19}").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]").search


class Texts:
    """Any text, several lines included, up to `max_length` characters."""

    strict = False

    def __init__(self, field: Field) -> None:
        self._most = field.max_length

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

    def odd(self, _texts: Sequence[str]) -> Sequence[int]:
        """None that one would see quickly."""
        return ()


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
        lines = b"\n" + lines_of(texts, made_of=_EMAIL_SIGNS) + b"\n"
        if lines.translate(None, _EMAIL_SIGNS_BUT_AT) != b"\n" + b"@\n" * len(texts):
            raise ValueError
        if b"\n@" in lines or b"@\n" in lines or max(map(len, texts)) > self._longest:
            raise ValueError
        return texts

    def odd(self, texts: Sequence[str]) -> list[int]:
        """The places of texts without just one @."""
        return [place for place, text in enumerate(texts) if text.count("@") != 1]


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

    def odd(self, texts: Sequence[str]) -> list[int]:
        """The places of other texts."""
        return [place for place, plain in enumerate(map(_PHONE, texts)) if not plain]


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
