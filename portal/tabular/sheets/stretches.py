"""Long XML read in two ways: in one go what is written as programs write it, the rest by a parser.

A part such as a sheet is one long list of items (its rows). It is taken a block at a time, each of
which ends where an item does. A `Matcher` looks for as many items as it knows the form of; what it
does not know, and all that stands around the items, goes through expat, which is never given a part
of an item. So expat has the last word about all but what is certain.
"""

from collections.abc import Iterator
from typing import IO, Generic, Protocol, TypeVar

from portal.tabular.sheets.package import new_parser

BLOCK = 262_144
_WITHOUT_END = 4 * BLOCK
_KNOWN_ENCODINGS = ("", "utf-8", "utf8", "us-ascii")
Item = TypeVar("Item")


class Matcher(Protocol[Item]):
    """Knows the form that most items have."""

    def take(self, text: str, start: int) -> tuple[list[Item] | None, int]:
        """Return items from `start` on, and where they end.

        None stands for items that a parser must look at: up to the end, or the next one.
        """


class Parser(Generic[Item]):
    """An expat parser; its handlers add to `done`, and tell by `item_ended` that one has ended."""

    def __init__(self, tag: str) -> None:
        self.end_tag = f"</{tag}>"
        self.done: list[Item] = []
        self._parser = new_parser()
        self._parser.XmlDeclHandler = self._declared
        self._fed = 0
        self._ended = -1
        self._encoding = ""

    @property
    def between(self) -> bool:
        """Whether an item's end was the last that it was given, in letters that we know as well."""
        at_end = self._ended + len(self.end_tag) == self._fed
        return at_end and self._encoding in _KNOWN_ENCODINGS

    def feed(self, data: bytes) -> list[Item]:
        """Parse `data`; return the items that ended in it."""
        self._parser.Parse(data, False)
        self._fed += len(data)
        return self._taken()

    def passed_over(self, lines: int) -> None:
        """Count line ends that were not given to it, for errors name the line."""
        if lines:
            self.feed(b"\n" * lines)

    def close(self) -> list[Item]:
        """Return what is left; raises ExpatError where the document has not ended."""
        self._parser.Parse(b"", True)
        return self._taken()

    def item_ended(self) -> None:
        """Note that the parser is at an item's end tag."""
        self._ended = self._parser.CurrentByteIndex

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self._encoding = (encoding or "").lower()

    def _taken(self) -> list[Item]:
        done, self.done = self.done, []
        return done


def read_items(
    stream: IO[bytes], parser: Parser[Item], matcher: Matcher[Item]
) -> Iterator[list[Item]]:
    """Yield the items of an XML document in lists."""
    for block in _blocks(stream, parser.end_tag.encode()):
        text = _decoded(block)
        if text is None:
            yield parser.feed(block)
            continue
        place = 0
        while place < len(text):
            items, place = _next(text, place, parser, matcher)
            yield items
    yield parser.close()


def _blocks(stream: IO[bytes], end_tag: bytes) -> Iterator[bytes]:
    """Cut what is read behind end tags; where there are none for long, anywhere."""
    rest = b""
    while piece := stream.read(BLOCK):
        data = rest + piece
        found = data.rfind(end_tag)
        end = found + len(end_tag) if found >= 0 else len(data) * (len(data) > _WITHOUT_END)
        if end:
            yield data[:end]
        rest = data[end:]
    yield rest


def _decoded(block: bytes) -> str | None:
    try:
        return block.decode()
    except UnicodeDecodeError:
        return None


def _next(
    text: str, place: int, parser: Parser[Item], matcher: Matcher[Item]
) -> tuple[list[Item], int]:
    """Return the items from `place` on, and where they end."""
    items, end = matcher.take(text, place) if parser.between else (None, place)
    if items is not None:
        parser.passed_over(text.count("\n", place, end))
        return items, end
    if end == place:
        found = text.find(parser.end_tag, place)
        end = found + len(parser.end_tag) if found >= 0 else len(text)
    return parser.feed(text[place:end].encode()), end
