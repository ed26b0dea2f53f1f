"""Markdown made HTML, and HTML made harmless."""

import re
import unicodedata
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

_TAGS = frozenset(
    nh3.ALLOWED_TAGS
    | {"audio", "main", "picture", "section", "source", "track", "video"}
)  # fmt: skip
_GONE_WITH_CONTENT = frozenset({"script", "style", "title", "template", "noscript", "iframe"})
_EVERYWHERE = frozenset({"align", "dir", "id", "lang", "title"})
_TABLE_CELL = frozenset({"abbr", "colspan", "headers", "rowspan", "scope", "valign", "width"})
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": frozenset({"href", "hreflang", "name"}),
    "area": frozenset({"alt", "coords", "href", "shape"}),
    "audio": frozenset({"controls", "preload", "src"}),
    "blockquote": frozenset({"cite"}),
    "col": frozenset({"span", "width"}),
    "colgroup": frozenset({"span"}),
    "del": frozenset({"cite", "datetime"}),
    "details": frozenset({"open"}),
    "img": frozenset({"alt", "height", "loading", "src", "srcset", "sizes", "width"}),
    "ins": frozenset({"cite", "datetime"}),
    "li": frozenset({"value"}),
    "map": frozenset({"name"}),
    "ol": frozenset({"reversed", "start", "type"}),
    "q": frozenset({"cite"}),
    "source": frozenset({"media", "sizes", "src", "srcset", "type"}),
    "table": frozenset({"summary"}),
    "td": _TABLE_CELL,
    "th": _TABLE_CELL,
    "time": frozenset({"datetime"}),
    "track": frozenset({"default", "kind", "label", "src", "srclang"}),
    "video": frozenset({"controls", "height", "poster", "preload", "src", "width"}),
}
_SCHEMES = frozenset({"ftp", "ftps", "http", "https", "mailto", "news", "sftp", "tel"})
_OBJECT = re.compile(r"<object\s[^<>]*>", re.IGNORECASE)
_PICTURE_DATA = re.compile(r"""\stype=["']?image/""", re.IGNORECASE)
_NO_SLUG = re.compile(r"[^\w\- ]")


def rendered(source: str) -> str:
    """Return Markdown as HTML, in which anything may still be."""
    return str(_markdown().render(source))


def clean(html: str) -> str:
    """Return `html` without what could act, load or disguise; see `markup.render_page`."""
    return _cleaner().clean(_OBJECT.sub(_picture, html))


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_GONE_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes=set(_SCHEMES),
        link_rel=None,
        strip_comments=True,
    )


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.core.ruler.push("heading_ids", _heading_ids)
    return parser


def _heading_ids(state: StateCore) -> None:
    """Give every heading the id that a link in Markdown expects: its words joined by hyphens."""
    taken: dict[str, int] = {}
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type != "heading_open":
            continue
        slug = _slug(inline.content)
        count = taken[slug] = taken.get(slug, -1) + 1
        opening.attrSet("id", f"{slug}-{count}" if count else slug)


def _picture(tag: re.Match[str]) -> str:
    """Turn an object that shows a picture, which sanitising would drop, into the picture."""
    if not _PICTURE_DATA.search(tag[0]):
        return tag[0]
    return "<img" + tag[0][len("<object") :].replace(" data=", " src=", 1)


def _slug(text: str) -> str:
    normal = unicodedata.normalize("NFC", text).lower().strip()
    return _NO_SLUG.sub("", normal).replace(" ", "-")
