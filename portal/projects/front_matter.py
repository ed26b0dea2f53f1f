"""The pages and texts that an export adds of its own: index, README, report of dead links."""

from collections.abc import Iterator
from html import escape
from urllib.parse import quote

from portal.projects.export_content import ExportContent
from portal.projects.layout import Layout
from portal.projects.markup import offline_page

_README = """{title}
{line}

This is the project "{title}" ({id}), exported from {portal}
on {made_at} by {made_by}.

Open index.html in a browser; no connection is needed.

{parts}
manifest.json    every file here with its size and SHA-256, to check that nothing is missing
dead-links.txt   links that led to nothing in the project when it was exported
"""
_PAGES_PART = """index.html       the list of all pages
pages/           the pages as HTML, with the project's files (pictures, attachments) beside them
sources/         the pages as they were written, in HTML or Markdown
"""
_HISTORY_PART = "project/history/ every earlier version of each page, one JSON object per line\n"
_SETTINGS_PART = "project/         the project's settings and members, as JSON\n"


def readme(content: ExportContent) -> bytes:
    """Return the text that says what is where, when and by whom."""
    options, project = content.options, content.project
    parts = [
        _PAGES_PART if options.pages_with_files else "index.html       what this is\n",
        _HISTORY_PART if options.history else "",
        _SETTINGS_PART if options.members_and_settings else "",
    ]
    text = _README.format(
        title=project.title,
        line="=" * len(project.title),
        id=project.id,
        portal=content.portal_url,
        made_at=f"{content.made_at:%Y-%m-%d %H:%M:%S %Z}".strip(),
        made_by=content.made_by,
        parts="".join(parts),
    )
    return text.encode(errors="replace")


def index_page(content: ExportContent, layout: Layout) -> Iterator[bytes]:
    """Yield the page at the top of the zip: the home page first, then all pages by title."""
    project, home = content.project, layout.home_of(content.project)
    body = f'<h1>{escape(project.title)}</h1>\n<p class="facts">Exported {content.made_at:%Y-%m-%d}'
    body += f" from {escape(content.portal_url)}</p>\n"
    if home:
        body += f'<p><a href="{quote(home)}">Home page</a></p>\n'
    page = offline_page(body + '<ul class="pages">\0</ul>', title=project.title, style=layout.style)
    head, tail = page.replace("\0", "\n\0").split("\0")
    yield head.encode(errors="replace")
    for label, path in layout.by_title():
        yield f'<li><a href="{quote(path)}">{escape(label)}</a></li>\n'.encode(errors="replace")
    yield tail.encode()


def pages_index(content: ExportContent, layout: Layout) -> bytes:
    """Return `pages/index.html`: straight on to the home page, or else to the list of pages."""
    home = layout.home_of(content.project)
    target = quote(home.removeprefix("pages/")) if home else "../index.html"
    title = escape(content.project.title)
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="0; url={escape(target)}">\n<title>{title}</title>\n'
        f'</head>\n<body><p><a href="{escape(target)}">{title}</a></p></body>\n</html>\n'
    ).encode(errors="replace")
