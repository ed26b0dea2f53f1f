"""Page sources become safe HTML with their anchors, tables and pictures."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import InvalidError
from portal.projects.markup import heading_of, offline_page, render_page, title_of

DOCS = Path("/usr/share/doc/postgresql-doc-15/html")


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="java\nscript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        "<svg><script>alert(1)</script></svg>",
        "<iframe src='//evil.example'></iframe>",
        "<form action=/x><button formaction=javascript:alert(1)>x</button></form>",
        '<p style="position:fixed" hx-get="/x" data-hx-post="/y" onclick="alert(1)">x</p>',
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        '<object type="image/svg+xml" data="javascript:alert(1)"></object>',
        "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "<base href=//evil.example>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    ],
)
@pytest.mark.parametrize("page_format", ["html", "markdown"])
def test_nothing_that_acts_survives(source, page_format):
    html = render_page(source, page_format=page_format).lower()
    for word in ("<script", "onerror=a", "onclick=", "javascript:alert(1)\"", "<iframe", "<form",
                 "style=", "hx-", "<meta", "<base", "<object", "<svg", 'href="data:'):  # fmt: skip
        assert word not in html.replace("&lt;", "")


def test_anchors_tables_and_pictures_stay():
    html = render_page(
        '<a name="old"></a><h2 id="new">T</h2><table><tr><td colspan="2">c</td></tr></table>'
        '<img src="pic.png" alt="p" width="10">',
        page_format="html",
    )
    assert '<a name="old">' in html
    assert '<h2 id="new">' in html
    assert '<td colspan="2">' in html
    assert '<img src="pic.png" alt="p" width="10">' in html


def test_only_the_body_of_a_whole_page_is_shown():
    source = (
        '<?xml version="1.0"?><!DOCTYPE html><html><head><title>Head title</title>'
        "<style>p{}</style></head><body><p>Body</p></body></html>"
    )
    assert render_page(source, page_format="html").strip() == "<p>Body</p>"


def test_an_object_that_shows_a_picture_becomes_a_picture():
    html = render_page(
        '<object type="image/svg+xml" data="gin.svg" width="100%"></object>', page_format="html"
    )
    assert html == '<img src="gin.svg" width="100%">'


def test_markdown_has_tables_and_anchors_on_headings():
    html = render_page(
        "# Über Größe!\n\n## A b\n\n## A b\n\n|a|\n|-|\n|1|\n", page_format="markdown"
    )
    assert '<h1 id="über-größe">' in html
    assert '<h2 id="a-b">' in html
    assert '<h2 id="a-b-1">' in html
    assert "<td>1</td>" in html


def test_an_unknown_format_is_refused():
    with pytest.raises(InvalidError, match="rst"):
        render_page("x", page_format="rst")


@pytest.mark.parametrize(
    ("source", "page_format", "title"),
    [
        ("<title>A &amp; B\n C</title><h1>Other</h1>", "html", "A & B C"),
        ("<title></title><h1>The <em>real</em> one</h1>", "html", "The real one"),
        ("<h2>Second level</h2>", "html", "Second level"),
        ("<p>none</p>", "html", ""),
        ("Intro\n\n# A *b* &amp; c\n", "markdown", "A b & c"),
        ("Setext\n======\n", "markdown", "Setext"),
        ("```\n# code\n```\n", "markdown", ""),
    ],
)
def test_the_title_is_the_heads_or_the_first_heading(source, page_format, title):
    assert title_of(source, page_format=page_format) == title


def test_a_heading_is_read_without_its_tags():
    assert heading_of('<h2>no</h2><h1 id="x">Yes <b>it</b> is</h1>') == "Yes it is"


def test_an_offline_page_bears_its_title_once():
    page = offline_page("<p>x</p>", title="A <b>", style="../style.css")
    assert page.count("<h1>A &lt;b&gt;</h1>") == 1
    assert "<h1>" not in offline_page('<h1 id="a">Own</h1>', title="T", style="s.css")
    assert '<link rel="stylesheet" href="../style.css">' in page


@pytest.mark.parametrize(
    "piece", ["<div>", "<b>", "<!--", "<object ", "<title ", "<h1>", "[", "> ", "*a_ ", "<a <", "`"]
)
@pytest.mark.parametrize("page_format", ["html", "markdown"])
def test_hostile_sources_are_read_in_bounded_time(piece, page_format):
    started = time.perf_counter()
    title_of(piece * 10_000, page_format=page_format)
    assert time.perf_counter() - started < 10


@given(st.text(alphabet="<>/=\"' abhp1#*_`[]()!-&;\n\x00é", max_size=200))
def test_any_text_is_rendered_without_active_content(source):
    for page_format in ("html", "markdown"):
        assert "<script" not in render_page(source, page_format=page_format)


def test_a_real_manual_keeps_its_titles_and_anchors():
    source = (DOCS / "sql-select.html").read_text()
    assert title_of(source, page_format="html") == "SELECT"
    assert 'id="SQL-FROM"' in render_page(source, page_format="html")
