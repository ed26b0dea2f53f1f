"""An exported zip opens offline, keeps every link alive, lists the dead ones, and is verified."""

import hashlib
import json
import os
import zipfile
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import pytest

from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.projects.archive import write_zip
from portal.projects.disk_tables import DiskTables
from portal.projects.export_content import (
    ExportContent,
    ExportedFile,
    ExportedMember,
    ExportedPage,
    ExportedProject,
    ExportedVersion,
    ExportOptions,
    FileName,
    PageName,
    Stage,
)
from portal.projects.layout import Names, portable
from portal.projects.markup import title_of
from portal.projects.verification import verify_zip

DOCS = Path("/usr/share/doc/postgresql-doc-15/html")
NOW = datetime(2026, 5, 6, 7, 8, 10, tzinfo=UTC)


def make_page(name, source="<p>text</p>", *, title="", page_format="html"):
    return ExportedPage(name=name, title=title, format=page_format, source=source, updated_at=NOW)


def make_file(folder, path, content=b"picture"):
    disk = folder / hashlib.sha256(path.encode()).hexdigest()
    disk.write_bytes(content)
    return ExportedFile(path=path, disk=disk, sha256=hashlib.sha256(content).hexdigest())


def make_content(*, pages=(), files=(), home=None, history=(), members=(), **changes):
    suffix = {"html": ".html", "markdown": ".md"}
    facts = {
        "project": ExportedProject(
            id="p3", title="Project <3>", policy="medium", home=home,
            created_at=NOW, created_by="m1", updated_at=NOW,
        ),
        "page_names": [
            PageName(name=page.name, file_name=page.name + suffix[page.format], title=page.title)
            for page in pages
        ],
        "file_names": [
            FileName(path=file.path, size=file.disk.stat().st_size) for file in files
        ],
        "pages": iter(pages),
        "files": iter(files),
        "history": iter(history),
        "version_count": len(history),
        "members": iter(members),
        "options": ExportOptions(),
        "portal_url": "https://portal.example",
        "portal_version": "1.0",
        "made_at": NOW,
        "made_by": "m1",
    }  # fmt: skip
    return ExportContent(**{**facts, **changes})


def exported(folder, content, **hooks):
    target = folder / "p3.zip"
    write_zip(target, content, **hooks)
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Anchors(HTMLParser):
    """Reads a page's links as a browser would, knowing nothing of our own relinking."""

    def __init__(self, text):
        super().__init__()
        self.links = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        wanted = {"a": "href", "img": "src", "link": "href", "object": "data"}.get(tag)
        value = dict(attrs).get(wanted) if wanted else None
        if value and "@" not in value:
            self.links.append(value)


def dead_links(contents, page):
    """The local links of `page` whose target is not among `contents`."""
    found = []
    for link in Anchors(contents[page].decode()).links:
        parts = urlsplit(link)
        if not parts.scheme and not parts.netloc and parts.path:
            target = normpath(join(dirname(page), unquote(parts.path)))
            if target not in contents:
                found.append(link)
    return found


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    """The PostgreSQL manual, exported: (contents by path, report)."""
    folder = tmp_path_factory.mktemp("manual")
    pages, files = [], []
    for path in sorted(DOCS.iterdir()):
        if path.suffix == ".html":
            source = path.read_text()
            title = title_of(source, page_format="html")
            pages.append(make_page(path.stem, source, title=title))
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files.append(ExportedFile(path=path.name, disk=path, sha256=digest))
    broken = '<p><a href="gone.html">a</a> <a href="sql-select.html#SQL-FROM">b</a></p>'
    pages.append(make_page("extra/broken", broken.replace("sql", "../sql")))
    target = folder / "p3.zip"
    report = write_zip(target, make_content(pages=pages, files=files, home="index"))
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}, report


def test_a_manual_of_a_thousand_pages_has_no_dead_link_that_was_alive(manual):
    contents, _ = manual
    pages = [name for name in contents if name.endswith(".html") and "/sources/" not in name]
    assert len(pages) > 1000
    dead = {page: dead_links(contents, page) for page in pages}
    assert {page: links for page, links in dead.items() if links} == {
        "p3/pages/extra/broken.html": ["gone.html"]
    }


def test_a_manual_keeps_the_links_that_its_sources_have(manual):
    contents, _ = manual
    source = Anchors((DOCS / "sql-select.html").read_text()).links
    exported_links = Anchors(contents["p3/pages/sql-select.html"].decode()).links
    local = {link for link in source if not urlsplit(link).scheme and not link.endswith(".css")}
    head = {"sql-security-label.html", "sql-selectinto.html"}
    assert local <= set(exported_links) | head


def test_a_manual_keeps_its_pictures(manual):
    contents, _ = manual
    assert 'src="gin.svg"' in contents["p3/pages/gin-implementation.html"].decode()
    assert contents["p3/pages/gin.svg"] == (DOCS / "gin.svg").read_bytes()


def test_dead_links_are_listed(manual):
    contents, report = manual
    assert report.dead_links == 1
    assert "pages/extra/broken.html\tgone.html" in contents["p3/dead-links.txt"].decode()


def test_the_sources_are_as_written(manual):
    contents, _ = manual
    source = (DOCS / "sql-select.html").read_bytes()
    assert contents["p3/sources/sql-select.html"] == source


def test_the_manifest_is_last_and_names_every_entry_with_its_checksum(manual):
    contents, report = manual
    assert list(contents)[-1] == "p3/manifest.json"
    manifest = json.loads(contents["p3/manifest.json"])
    assert (manifest["schema"], manifest["portal"], manifest["project"]) == (1, "1.0", "p3")
    assert len(manifest["entries"]) + 1 == len(contents) == report.entries
    for entry in manifest["entries"]:
        assert entry["sha256"] == hashlib.sha256(contents[entry["path"]]).hexdigest()


def test_everything_lies_below_the_projects_id(tmp_path):
    contents = exported(tmp_path, make_content(pages=[make_page("a")]))
    assert {
        "p3/README.txt", "p3/index.html", "p3/pages/a.html", "p3/pages/index.html",
        "p3/pages/style.css", "p3/sources/a.html", "p3/project/settings.json",
        "p3/project/members.json", "p3/project/history/versions.jsonl", "p3/dead-links.txt",
        "p3/manifest.json",
    } == set(contents)  # fmt: skip


def test_the_readme_says_what_when_and_by_whom(tmp_path):
    text = exported(tmp_path, make_content())["p3/README.txt"].decode()
    for words in ("Project <3>", "2026-05-06 07:08:10 UTC", "by m1", "index.html", "manifest.json"):
        assert words in text


def test_the_generated_pages_have_no_dead_link_and_escape_titles(tmp_path):
    pages = [make_page("tief/größe & mehr", title="<b>"), make_page("home", title="Home")]
    contents = exported(tmp_path, make_content(pages=pages, home="home"))
    assert dead_links(contents, "p3/index.html") == []
    assert dead_links(contents, "p3/pages/index.html") == []
    assert dead_links(contents, "p3/pages/tief/größe & mehr.html") == []
    assert "&lt;b&gt;" in contents["p3/index.html"].decode()


def test_a_page_called_index_is_not_clobbered(tmp_path):
    contents = exported(tmp_path, make_content(pages=[make_page("index", "<p>my own</p>")]))
    assert "my own" in contents["p3/pages/index.html"].decode()
    assert "refresh" not in contents["p3/pages/index.html"].decode()


def test_a_file_called_style_css_keeps_its_name_and_ours_takes_another(tmp_path):
    files = [make_file(tmp_path, "style.css", b"theirs")]
    contents = exported(tmp_path, make_content(pages=[make_page("a")], files=files))
    assert contents["p3/pages/style.css"] == b"theirs"
    assert 'href="style-2.css"' in contents["p3/pages/a.html"].decode()
    assert "p3/pages/style-2.css" in contents


def test_markdown_becomes_html_and_its_links_to_sources_live(tmp_path):
    pages = [
        make_page("a", "# A\n\n[b](sub/b.md#part) ![p](pic.png)", page_format="markdown"),
        make_page("sub/b", "# B\n\n[a](../a.md)", page_format="markdown"),
    ]
    contents = exported(tmp_path, make_content(pages=pages, files=[make_file(tmp_path, "pic.png")]))
    assert 'href="sub/b.html#part"' in contents["p3/pages/a.html"].decode()
    assert 'href="../a.html"' in contents["p3/pages/sub/b.html"].decode()
    assert dead_links(contents, "p3/pages/a.html") == []
    assert contents["p3/sources/sub/b.md"].startswith(b"# B")


def test_names_that_differ_only_in_case_are_kept_apart_with_their_links(tmp_path):
    pages = [make_page("Readme"), make_page("b", '<a href="other?.html">x</a>'), make_page("B")]
    contents = exported(tmp_path, make_content(pages=pages))
    folded = [name.casefold() for name in contents]
    assert len(set(folded)) == len(folded)
    assert "p3/pages/B-2.html" in contents


def test_history_members_and_settings_are_readable(tmp_path):
    version = ExportedVersion(
        page="a", number=1, title="A", format="html", source="<p>ä</p>",
        written_at=NOW, written_by="m2", comment="first",
    )  # fmt: skip
    member = ExportedMember(user="m1", role="ProjectAdmin", joined_at=NOW)
    contents = exported(tmp_path, make_content(history=[version], members=[member]))
    line = json.loads(contents["p3/project/history/versions.jsonl"])
    assert (line["page"], line["source"], line["written_by"]) == ("a", "<p>ä</p>", "m2")
    assert json.loads(contents["p3/project/members.json"])[0]["role"] == "ProjectAdmin"
    assert json.loads(contents["p3/project/settings.json"])["policy"] == "medium"


def test_what_is_switched_off_is_left_out(tmp_path):
    options = ExportOptions(pages_with_files=False, history=False, members_and_settings=False)
    contents = exported(tmp_path, make_content(pages=[make_page("a")], options=options))
    assert not any("/sources/" in name or "/project/" in name for name in contents)
    assert "p3/pages/a.html" not in contents
    assert dead_links(contents, "p3/index.html") == []


def test_the_stages_are_told_in_order_and_reach_their_totals(tmp_path):
    told = []
    content = make_content(pages=[make_page("a")], files=[make_file(tmp_path, "f")])
    exported(tmp_path, content, progress=lambda *step: told.append(step))
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == list(Stage)
    last = {stage: (done, total) for stage, done, total in told}
    assert all(done == total for done, total in last.values())


def test_the_same_content_gives_the_same_zip(tmp_path):
    for name in ("one", "two"):
        write_zip(tmp_path / name, make_content(pages=[make_page("a")]))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_cancelled_export_leaves_nothing_and_what_was_there(tmp_path):
    target = tmp_path / "p3.zip"
    target.write_bytes(b"before")

    def cancel():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_zip(target, make_content(), checkpoint=cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["p3.zip"]
    assert target.read_bytes() == b"before"


def test_a_file_that_is_not_what_was_uploaded_fails_the_export(tmp_path):
    file = make_file(tmp_path, "f.bin")
    file.disk.write_bytes(b"changed")
    with pytest.raises(ConflictError, match="upload it again"):
        exported(tmp_path, make_content(files=[file]))


def test_a_file_gone_from_disk_fails_the_export_in_words(tmp_path):
    file = make_file(tmp_path, "f.bin")
    content = make_content(files=[file])
    file.disk.unlink()
    with pytest.raises(NotFoundError, match=r"f\.bin"):
        exported(tmp_path, content)


def test_a_page_that_vanished_meanwhile_fails_the_export(tmp_path):
    content = make_content(pages=[make_page("a"), make_page("b")], files=())
    next(content.pages)
    with pytest.raises(ConflictError, match="changed while"):
        exported(tmp_path, content)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_flipped_byte_is_found(tmp_path, place):
    target = tmp_path / "p3.zip"
    file = make_file(tmp_path, "f", os.urandom(500_000))
    write_zip(target, make_content(files=[file]))
    damaged = bytearray(target.read_bytes())
    damaged[int(len(damaged) * place)] ^= 1
    target.write_bytes(damaged)
    with pytest.raises(InvalidError):
        verify_zip(target, project_id="p3", on_bytes=lambda _: None)


def test_an_extra_entry_is_found(tmp_path):
    target = tmp_path / "p3.zip"
    write_zip(target, make_content())
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("p3/extra", b"x")
    with pytest.raises(InvalidError, match="extra"):
        verify_zip(target, project_id="p3", on_bytes=lambda _: None)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 100])
def test_what_is_no_zip_is_refused_in_words(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(InvalidError, match="damaged"):
        verify_zip(tmp_path / "x.zip", project_id="p3", on_bytes=lambda _: None)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["a", "A", "a"], ["a", "A-2", "a-3"]),
        (["x.png", "X.PNG"], ["x.png", "X-2.PNG"]),
        (["a.html", "a.html/b"], ["a.html", "a-2.html/b"]),
        (["a/b", "a"], ["a/b", "a-2"]),
        (["A/x", "a/y"], ["A/x", "a/y"]),
        (["con.txt", "a:b", "end. "], ["_con.txt", "a_b", "end"]),
        (["e\u0301", "\u00e9"], ["\u00e9", "\u00e9-2"]),
    ],
)
def test_names_are_portable_and_kept_apart(wanted, given):
    with DiskTables() as tables:
        names = Names(tables)
        assert [names.take(name) for name in wanted] == given


def test_an_over_long_name_is_shortened_and_stays_distinct():
    one, two = portable("ü" * 300 + "1.html"), portable("ü" * 300 + "2.html")
    assert one != two
    assert max(len(one.encode()), len(two.encode())) <= 200
    assert one.endswith(".html")
