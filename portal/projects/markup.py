"""Page sources, Markdown or HTML, as sanitised HTML without any style or script."""

import re
import unicodedata
from functools import cache
from html import escape, unescape

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

from portal.errors import InvalidError

HTML = "html"
MARKDOWN = "markdown"
TITLE_CHARS = 512
_HEAD_CHARS = 65536
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
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_HEADING = re.compile(r"<h1(?: [^<>]*)?>(.*?)</h1>", re.DOTALL)
_ANY_HEADING = re.compile(r"<h[1-6](?: [^<>]*)?>(.*?)</h[1-6]>", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_OBJECT = re.compile(r"<object\s[^<>]*>", re.IGNORECASE)
_PICTURE_DATA = re.compile(r"""\stype=["']?image/""", re.IGNORECASE)
_NO_SLUG = re.compile(r"[^\w\- ]")


def render_page(source: str, *, page_format: str) -> str:
    """Return `source` as sanitised HTML for a page's body.

    Ids, names, pictures and tables stay; scripts, styles, handlers and forms go.
    """
    html = _markdown().render(source) if _known(page_format) == MARKDOWN else source
    return _cleaner().clean(_OBJECT.sub(_picture, html))


def title_of(source: str, *, page_format: str) -> str:
    """Return the page's title in plain text, from its head or first heading; empty without one."""
    if _known(page_format) == HTML:
        head = _TITLE.search(source, 0, _HEAD_CHARS)
        if head and head[1].strip():
            return _one_line(head[1])
    return heading_of(render_page(source, page_format=page_format))


def heading_of(html: str) -> str:
    """Return the first heading of sanitised `html` in plain text: an `<h1>`, else any; or empty."""
    heading = _HEADING.search(html) or _ANY_HEADING.search(html)
    return _one_line(_TAG.sub("", heading[1])) if heading else ""


def offline_page(body: str, *, title: str, style: str) -> str:
    """Return a whole HTML page around sanitised `body`; `style` is the stylesheet's address.

    The title becomes the `<h1>` unless the body has one.
    """
    heading = "" if "<h1" in body else f"<h1>{escape(title)}</h1>\n"
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f'<link rel="stylesheet" href="{escape(style)}">\n</head>\n'
        f'<body class="portal-page">\n<div class="portal-page-content">\n'
        f"{heading}{body}\n</div>\n</body>\n</html>\n"
    )


def _known(page_format: str) -> str:
    if page_format not in (HTML, MARKDOWN):
        raise InvalidError(f"A page is written in html or markdown, not in {page_format!r}.")
    return page_format


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


def _one_line(text: str) -> str:
    return " ".join(unescape(text).split())[:TITLE_CHARS]
