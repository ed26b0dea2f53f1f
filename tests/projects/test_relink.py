"""Links of pages: alive in the zip and on the portal, dead ones named and left as they were."""

import time
import unicodedata

import pytest

from portal.projects.relink import Kind, Links, relink_offline, relink_online

PAGES = {
    "index": "pages/index.html",
    "sql-select": "pages/sql-select.html",
    "sql/update": "pages/sql/update.html",
    "sql/index": "pages/sql/index.html",
    "notes": "pages/notes.html",
    "Größe": "pages/Größe.html",
    "two words": "pages/two words.html",
    "c:d": "pages/c:d.html",
}
SOURCES = {f"{name}.html": name for name in PAGES if name != "notes"} | {"notes.md": "notes"}
FILES = {
    "pic.png": "pages/pic.png",
    "sql/a b.png": "pages/sql/a b.png",
    "style.css": "pages/style.css",
}
LINKS = Links(
    project_id="p3",
    portal_url="https://portal.example",
    aliases=("http://127.0.0.1:8000",),
    pages=PAGES,
    sources=SOURCES,
    files=FILES,
)


def offline(url, *, page="sql/update"):
    return relink_offline(f'<a href="{url}">x</a>', page=page, links=LINKS)


@pytest.mark.parametrize(
    ("url", "here", "expected"),
    [
        ("sql-select.html", "index", "sql-select.html"),
        ("sql-select", "index", "sql-select.html"),
        ("sql-select.htm", "index", "sql-select.html"),
        ("./sql-select.html", "index", "sql-select.html"),
        ("../sql-select.html", "sql/update", "../sql-select.html"),
        ("update.html", "sql/index", "update.html"),
        ("sql/update", "index", "sql/update.html"),
        ("sql/../sql/./update.html", "index", "sql/update.html"),
        ("sql/", "index", "sql/index.html"),
        ("sql", "index", "sql/index.html"),
        ("./", "sql/update", "index.html"),
        ("..", "sql/update", "../index.html"),
        ("notes.md", "index", "notes.html"),
        ("notes.html", "index", "notes.html"),
        ("sql-select.html#SQL-FROM", "index", "sql-select.html#SQL-FROM"),
        ("sql-select.html?a=1&amp;b=2#c", "index", "sql-select.html?a=1&amp;b=2#c"),
        ("Gr%C3%B6%C3%9Fe.html", "index", "Gr%C3%B6%C3%9Fe.html"),
        ("Größe", "index", "Gr%C3%B6%C3%9Fe.html"),
        (unicodedata.normalize("NFD", "Größe.html"), "index", "Gr%C3%B6%C3%9Fe.html"),
        ("two words.html", "index", "two%20words.html"),
        ("two%20words", "index", "two%20words.html"),
        ("c%3Ad", "index", "c%3Ad.html"),
        ("/projects/p3/pages/sql/update", "index", "sql/update.html"),
        ("/projects/p3/pages/sql-select#x", "sql/update", "../sql-select.html#x"),
        ("https://portal.example/projects/p3/pages/notes", "index", "notes.html"),
        ("http://127.0.0.1:8000/projects/p3/pages/notes", "index", "notes.html"),
        ("//portal.example/projects/p3/pages/notes", "index", "notes.html"),
        ("../pages/notes", "index", "notes.html"),
    ],
)
def test_a_link_to_a_page_becomes_relative(url, here, expected):
    assert offline(url, page=here).html == f'<a href="{expected}">x</a>'
    assert offline(url, page=here).dead == ()


@pytest.mark.parametrize(
    ("url", "here", "expected"),
    [
        ("pic.png", "index", "pic.png"),
        ("../pic.png", "sql/update", "../pic.png"),
        ("a%20b.png", "sql/update", "a%20b.png"),
        ("/projects/p3/files/sql/a%20b.png", "index", "sql/a%20b.png"),
        ("../files/pic.png", "index", "pic.png"),
        ("https://portal.example/projects/p3/files/pic.png", "sql/index", "../pic.png"),
    ],
)
def test_a_link_to_a_file_becomes_relative(url, here, expected):
    assert offline(url, page=here).html == f'<a href="{expected}">x</a>'


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/projects/other/pages/x", "https://portal.example/projects/other/pages/x"),
        ("/jobs?state=failed#top", "https://portal.example/jobs?state=failed#top"),
        ("../../../other/pages/x", "https://portal.example/projects/other/pages/x"),
        ("http://127.0.0.1:8000/jobs", "https://portal.example/jobs"),
        ("/projects/p3", "https://portal.example/projects/p3"),
        ("/projects/p33/pages/index", "https://portal.example/projects/p33/pages/index"),
    ],
)
def test_a_link_that_stays_on_the_portal_becomes_absolute(url, expected):
    assert offline(url).html == f'<a href="{expected}">x</a>'


@pytest.mark.parametrize(
    "url",
    ["https://example.org/sql-select.html", "//cdn.example/x.js", "mailto:a@b.example", "#top",
     "https://portal.example.org/projects/p3/pages/index", "tel:+49", "?page=2", ""],
)  # fmt: skip
def test_an_external_or_own_link_is_untouched(url):
    assert offline(url).html == f'<a href="{url}">x</a>'
    assert offline(url).dead == ()


@pytest.mark.parametrize(
    "url",
    ["missing.html", "missing.png#x", "/projects/p3/pages/none", "/projects/p3/files/none.png",
     "../../outside.html", "../../../../etc/passwd", "SQL-SELECT.html", "%FF.html"],
)  # fmt: skip
def test_a_dead_link_is_named_and_left(url):
    result = offline(url)
    assert result.html == f'<a href="{url}">x</a>'
    assert result.dead == (url,)


def test_a_dead_link_is_named_once():
    html = '<a href="no.html">a</a><a href="no.html">b</a><img src="no.png">'
    assert relink_offline(html, page="index", links=LINKS).dead == ("no.html", "no.png")


def test_pictures_videos_and_every_candidate_of_a_srcset_are_relinked():
    html = (
        '<img src="/projects/p3/files/pic.png" srcset="/projects/p3/files/pic.png 1x, pic.png 2x">'
        '<video poster="/projects/p3/files/pic.png"></video>'
    )
    assert relink_offline(html, page="index", links=LINKS).html == (
        '<img src="pic.png" srcset="pic.png 1x, pic.png 2x"><video poster="pic.png"></video>'
    )


def test_text_that_looks_like_a_link_is_left():
    html = '<pre>&lt;a href="sql-select"&gt; href="sql-select"</pre>'
    assert relink_offline(html, page="sql/update", links=LINKS).html == html


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("../sql-select.html#x", "/projects/p3/pages/sql-select#x"),
        ("a%20b.png", "/projects/p3/files/sql/a%20b.png"),
        ("../two words.html", "/projects/p3/pages/two%20words"),
        ("/jobs", "/jobs"),
        ("missing.html", "missing.html"),
        ("https://example.org/", "https://example.org/"),
    ],
)
def test_the_portals_own_view_links_to_its_own_addresses(url, expected):
    html = relink_online(f'<a href="{url}">x</a>', page="sql/update", links=LINKS).html
    assert html == f'<a href="{expected}">x</a>'


def test_a_portal_below_a_path_keeps_that_path():
    links = Links(
        project_id="p3", portal_url="https://x.example/portal", pages=PAGES, sources={}, files={}
    )
    html = '<a href="/portal/projects/p3/pages/notes">x</a>'
    assert relink_offline(html, page="index", links=links).html == '<a href="notes.html">x</a>'
    assert (
        'href="/portal/projects/p3/pages/notes"'
        in relink_online(html, page="index", links=links).html
    )


def test_a_link_keeps_its_query_beside_what_it_leads_to():
    link = LINKS.find("notes?v=2#a", page="index")
    assert (link.kind, link.target, link.tail) == (Kind.PAGE, "notes", "?v=2#a")


@pytest.mark.parametrize("piece", ['<a href="', "<a <a ", ' href="x"', "<img src=x ", "../", "<"])
def test_hostile_text_is_read_in_linear_time(piece):
    started = time.perf_counter()
    relink_offline(piece * 100_000, page="index", links=LINKS)
    offline(piece.replace('"', "").replace("<", "") * 20_000)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("relink", [relink_online, relink_offline])
def test_a_value_that_looks_like_an_attribute_stays_a_value(relink):
    hostile = '<a lang=" href=" title=" hx-post=/accounts hx-trigger=load x">y</a>'
    pages = {"title=/index": "pages/title=/index.html", "x": "pages/x.html"}
    links = Links(
        project_id="p", portal_url="http://portal.example", pages=pages, sources={}, files={}
    )
    assert relink(hostile, page="x", links=links).html == hostile
