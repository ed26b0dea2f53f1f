"""Page sources, Markdown or HTML, as sanitised HTML without any style or script."""

import re
from html import escape, unescape
from typing import TYPE_CHECKING

from portal.errors import InvalidError
from portal.later import later

if TYPE_CHECKING:
    from portal.projects.sanitising import clean, rendered
else:
    clean = later("portal.projects.sanitising:clean")
    rendered = later("portal.projects.sanitising:rendered")

HTML = "html"
MARKDOWN = "markdown"
TITLE_CHARS = 512
_HEAD_CHARS = 65536
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
_HEADING = re.compile(r"<h1(?: [^<>]*)?>(.*?)</h1>", re.DOTALL)
_ANY_HEADING = re.compile(r"<h[1-6](?: [^<>]*)?>(.*?)</h[1-6]>", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


def render_page(source: str, *, page_format: str) -> str:
    """Return `source` as sanitised HTML for a page's body.

    Ids, names, pictures and tables stay; scripts, styles, handlers and forms go.
    """
    return clean(rendered(source) if _known(page_format) == MARKDOWN else source)


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


def _one_line(text: str) -> str:
    return " ".join(unescape(text).split())[:TITLE_CHARS]
