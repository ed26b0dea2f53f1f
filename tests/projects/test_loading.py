"""Loading folders: everything arrives, nothing from outside, and a failed load leaves nothing."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.accounts.permissions import Actor, Role
from portal.audit.models import AuditEntry
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.projects.load_order import LoadOrder, LoadReport, OnConflict
from portal.projects.loading import ABANDONED, load_folder, remove_abandoned_loads
from portal.projects.models import PageVersion, Policy, Project, ProjectFile, ProjectPage
from portal.projects.rights import Right
from portal.projects.service import create_project, get_standing, has_right
from portal.projects.storage import project_folder
from portal.runtime import Runtime
from portal.settings import Settings
from tests.projects.people import People
from tests.projects.trees import write_tree
from tests.transactions import Transactions

MANUAL = Path("/usr/share/doc/postgresql-doc-15/html")

Load = Callable[..., LoadReport]
MakeFolder = Callable[..., Path]


@pytest.fixture
def m1(people: People) -> Actor:
    return people.make("m1")


@pytest.fixture
def load(runtime: Runtime, m1: Actor) -> Load:
    """`load(folder, **values of LoadOrder)` as m1."""

    def run(folder: Path, actor: Actor = m1, **values: object) -> LoadReport:
        order = LoadOrder(folder=folder, **({"project_id": "p1"} | values))  # type: ignore[arg-type]
        return load_folder(runtime, order=order, actor=actor)

    return run


def pages_of(runtime: Runtime, project_id: str = "p1") -> dict[str, ProjectPage]:
    with runtime.reads() as session:
        query = select(ProjectPage).where(ProjectPage.project_id == project_id)
        return {page.name: page for page in session.scalars(query)}


def files_of(runtime: Runtime, project_id: str = "p1") -> dict[str, ProjectFile]:
    with runtime.reads() as session:
        query = select(ProjectFile).where(ProjectFile.project_id == project_id)
        return {file.path: file for file in session.scalars(query)}


def content_of(runtime: Runtime, path: str) -> bytes:
    stored = files_of(runtime)[path].stored
    return (project_folder(runtime.settings, "p1") / stored).read_bytes()


def test_pages_and_files_arrive_under_their_names(
    runtime: Runtime, load: Load, make_folder: MakeFolder
) -> None:
    tree = {"a/b/c.HTML": "<title>C</title>", "read.markdown": "# Read", "x/pic.png": b"\x00\x01"}
    load(make_folder("docs", tree))
    titles = {name: (page.title, page.format) for name, page in pages_of(runtime).items()}
    assert titles == {"a/b/c": ("C", "html"), "read": ("Read", "markdown")}
    assert content_of(runtime, "x/pic.png") == b"\x00\x01"


def test_stored_files_are_readable_by_their_owner_only(
    runtime: Runtime, load: Load, make_folder: MakeFolder
) -> None:
    load(make_folder("docs", {"pic.png": b"1"}))
    folder = project_folder(runtime.settings, "p1")
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_every_loaded_page_has_its_first_version(
    runtime: Runtime, load: Load, make_folder: MakeFolder
) -> None:
    load(make_folder("docs", {"a.md": "# A", "b.md": "# B"}))
    with runtime.reads() as session:
        versions = session.execute(
            select(ProjectPage.name, PageVersion.number, PageVersion.source, PageVersion.written_by)
            .join(ProjectPage, ProjectPage.id == PageVersion.page_id)
            .order_by(ProjectPage.name)
        ).all()
    assert [tuple(row) for row in versions] == [("a", 1, "# A", "m1"), ("b", 1, "# B", "m1")]


def test_links_are_not_followed_but_listed(
    runtime: Runtime, load: Load, make_folder: MakeFolder, tmp_path: Path
) -> None:
    outside = write_tree(tmp_path / "outside", {"secret.txt": "secret"})
    folder = make_folder("docs", {"a.md": "# A"})
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "linked").symlink_to(outside)
    (folder / ".hidden").write_text("hidden")
    os.mkfifo(folder / "pipe")
    report = load(folder)
    assert {(entry.path, entry.reason) for entry in report.skipped} == {
        ("link.txt", "a link"),
        ("linked", "a link"),
        (".hidden", "hidden"),
        ("pipe", "neither a file nor a folder"),
    }
    assert files_of(runtime) == {}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>äö€</p>".encode(), "<p>äö€</p>"),
        ("<p>äö€</p>".encode("cp1252"), "<p>äö€</p>"),
        ("\ufeff<p>ä</p>".encode(), "<p>ä</p>"),
        ("<p>ä</p>".encode("utf-16"), "<p>ä</p>"),
        ('<meta charset="iso-8859-2"><p>ąę</p>'.encode("iso-8859-2"), "ąę"),
        ('<meta charset="koi8-r">Привет'.encode("koi8-r"), "Привет"),
        ('<meta charset="utf-8">ä'.encode("cp1252"), "ä"),
        ('<meta charset="rot13">ä'.encode(), "ä"),
        (b"a\x00b\x81", "a\ufffdb\x81"),
    ],
)
def test_the_encoding_of_a_page_is_found(
    runtime: Runtime, load: Load, make_folder: MakeFolder, content: bytes, text: str
) -> None:
    load(make_folder("docs", {"page.html": content}))
    assert text in pages_of(runtime)["page"].source


def test_names_that_differ_only_in_case_are_kept_apart_and_reported(
    runtime: Runtime, load: Load, make_folder: MakeFolder
) -> None:
    report = load(make_folder("docs", {"README.md": "# 1", "readme.html": "2", "Readme.md": "# 3"}))
    assert len(pages_of(runtime)) == 3
    assert [(entry.path, entry.like, entry.kept_as) for entry in report.apart] == [
        ("Readme.md", "README.md", "Readme-2"),
        ("readme.html", "README.md", "readme-3"),
    ]


def test_names_are_kept_in_one_normal_form(
    runtime: Runtime, load: Load, make_folder: MakeFolder
) -> None:
    decomposed = unicodedata.normalize("NFD", "Übersicht.md")
    report = load(make_folder("docs", {decomposed: "# 1", "Übersicht.md": "# 2"}))
    assert {"Übersicht", "Übersicht-2"} == set(pages_of(runtime))
    assert len(report.apart) == 1


def test_a_tree_of_any_depth_that_a_path_can_have_is_loaded(
    runtime: Runtime, load: Load, make_folder: MakeFolder
) -> None:
    deep = "/".join(["d"] * 400) + "/page.md"
    too_deep = "/".join(["e"] * 500) + "/page.md"
    report = load(make_folder("docs", {deep: "# Deep", too_deep: "# Too deep"}))
    assert set(pages_of(runtime)) == {deep.removesuffix(".md")}
    assert "longer than 850 bytes" in report.skipped[0].reason


def test_an_empty_folder_is_refused(load: Load, make_folder: MakeFolder, tmp_path: Path) -> None:
    tmp_path.joinpath("empty").mkdir()
    with pytest.raises(InvalidError, match="nothing to load"):
        load(tmp_path / "empty")
    with pytest.raises(InvalidError, match="no folder"):
        load(tmp_path / "absent")


def test_a_load_is_audited_and_its_owner_is_admin(
    runtime: Runtime, load: Load, make_folder: MakeFolder, m1: Actor
) -> None:
    load(make_folder("docs", {"a.md": "# A"}), policy=Policy.CLOSED, title="Docs")
    with runtime.reads() as session:
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
        assert has_right(session, actor=m1, project_id="p1", right=Right.MANAGE)
        assert session.get_one(Project, "p1").title == "Docs"
    assert actions == ["project.create", "project.load"]


def test_the_id_comes_from_the_folders_name(load: Load, make_folder: MakeFolder) -> None:
    report = load(make_folder("My Great Docs!", {"a.md": "# A"}), project_id="")
    assert report.project_id == "my-great-docs"


def test_without_the_right_nothing_is_loaded(
    load: Load, make_folder: MakeFolder, people: People
) -> None:
    operator = people.make("op", Role.OPERATOR)
    with pytest.raises(ForbiddenError):
        load(make_folder("docs", {"a.md": "# A"}), actor=operator)


def test_a_load_that_fails_halfway_leaves_nothing(
    runtime: Runtime, m1: Actor, make_folder: MakeFolder
) -> None:
    tree: dict[str, str | bytes] = {f"pics/{n}.png": b"1" for n in range(250)}
    tree |= {f"pages/{n}.md": f"# {n}" for n in range(250)}
    seen = 0

    def fail_late() -> None:
        nonlocal seen
        seen += 1
        if seen == 400:
            raise OSError("the disk is gone")

    order = LoadOrder(folder=make_folder("docs", tree), project_id="p1")
    with pytest.raises(OSError, match="the disk is gone"):
        load_folder(runtime, order=order, actor=m1, checkpoint=fail_late)
    with runtime.reads() as session:
        assert session.get(Project, "p1") is None
        assert session.scalar(select(func.count()).select_from(PageVersion)) == 0
    assert not project_folder(runtime.settings, "p1").exists()


def test_a_project_that_is_being_loaded_is_seen_by_nobody(
    runtime: Runtime, m1: Actor, make_folder: MakeFolder
) -> None:
    seen = []

    def look() -> None:
        with runtime.reads() as session:
            seen.append(has_right(session, actor=m1, project_id="p1", right=Right.VIEW))

    order = LoadOrder(folder=make_folder("docs", {"a.md": "# A"}), project_id="p1")
    load_folder(runtime, order=order, actor=m1, checkpoint=look)
    assert seen == [False]


def test_what_a_killed_load_left_is_removed_after_a_while(
    runtime: Runtime, m1: Actor, load: Load, make_folder: MakeFolder
) -> None:
    now = runtime.clock()
    with runtime.sessions.begin() as session:
        create_project(
            session, actor=m1, project_id="p1", title="P", now=now - ABANDONED * 2, loading=True
        )
        create_project(session, actor=m1, project_id="p2", title="P", now=now, loading=True)
    assert remove_abandoned_loads(runtime) == 1
    with pytest.raises(ConflictError, match="is being loaded at this moment"):
        load(make_folder("docs", {"a.md": "# A"}), project_id="p2")
    assert load(make_folder("docs", {"a.md": "# A"})).outcome == "created"


def test_a_dry_run_tells_all_and_writes_nothing(
    runtime: Runtime, load: Load, make_folder: MakeFolder
) -> None:
    report = load(make_folder("docs", {"a.md": "# A", "b.png": b"1"}), dry_run=True)
    assert (report.outcome, report.new_pages, report.new_files) == ("created", 1, 1)
    with runtime.reads() as session, pytest.raises(NotFoundError):
        get_standing(session, actor=Actor(user_id=1, name="m1"), project_id="p1")


@pytest.fixture
def loaded(load: Load, make_folder: MakeFolder) -> Path:
    """A folder that is loaded as p1 and has changed since: one new, one changed, one gone."""
    folder = make_folder(
        "docs", {"same.md": "# S", "old.md": "# O", "gone.md": "# G", "a.bin": b"1", "b.bin": b"2"}
    )
    load(folder)
    write_tree(folder, {"old.md": "# Changed", "new.md": "# N", "a.bin": b"changed"})
    (folder / "gone.md").unlink()
    (folder / "b.bin").unlink()
    return folder


def test_loading_again_is_refused_unless_one_says_how(load: Load, loaded: Path) -> None:
    with pytest.raises(ConflictError, match="--on-conflict"):
        load(loaded)


def test_skip_leaves_the_project_alone(runtime: Runtime, load: Load, loaded: Path) -> None:
    assert load(loaded, on_conflict=OnConflict.SKIP).outcome == "skipped"
    assert "new" not in pages_of(runtime)


def test_update_writes_what_is_new_or_changed_and_keeps_the_rest(
    runtime: Runtime, load: Load, loaded: Path
) -> None:
    report = load(loaded, on_conflict=OnConflict.UPDATE)
    assert (report.new_pages, report.changed_pages, report.removed_pages) == (1, 1, 0)
    assert (report.new_files, report.changed_files, report.removed_files) == (0, 1, 0)
    versions = {name: page.version for name, page in pages_of(runtime).items()}
    assert versions == {"same": 1, "old": 2, "gone": 1, "new": 1}
    assert content_of(runtime, "a.bin") == b"changed"
    assert content_of(runtime, "b.bin") == b"2"


def test_replace_also_removes_what_the_folder_no_longer_has(
    runtime: Runtime, load: Load, loaded: Path
) -> None:
    report = load(loaded, on_conflict=OnConflict.REPLACE)
    assert (report.removed_pages, report.removed_files) == (1, 1)
    assert set(pages_of(runtime)) == {"same", "old", "new"}
    assert set(files_of(runtime)) == {"a.bin"}


def test_new_name_loads_beside(runtime: Runtime, load: Load, loaded: Path) -> None:
    assert load(loaded, on_conflict=OnConflict.NEW_NAME).project_id == "p1-2"
    assert load(loaded, on_conflict=OnConflict.NEW_NAME).project_id == "p1-3"


def test_a_dry_run_of_an_update_counts_the_same(runtime: Runtime, load: Load, loaded: Path) -> None:
    planned = load(loaded, on_conflict=OnConflict.REPLACE, dry_run=True)
    assert pages_of(runtime)["old"].version == 1
    done = load(loaded, on_conflict=OnConflict.REPLACE)
    facts = ("new_pages", "changed_pages", "removed_pages", "new_files", "changed_files")
    assert [getattr(planned, fact) for fact in facts] == [getattr(done, fact) for fact in facts]


def test_an_update_that_fails_is_taken_back(
    runtime: Runtime, load: Load, loaded: Path, m1: Actor
) -> None:
    before = {name: (page.version, page.source) for name, page in pages_of(runtime).items()}
    write_tree(loaded, {f"more/{n}.md": f"# {n}" for n in range(120)})
    seen = 0

    def fail_late() -> None:
        nonlocal seen
        seen += 1
        if seen == 123:
            raise OSError("the disk is gone")

    order = LoadOrder(folder=loaded, project_id="p1", on_conflict=OnConflict.UPDATE)
    with pytest.raises(OSError, match="the disk is gone"):
        load_folder(runtime, order=order, actor=m1, checkpoint=fail_late)
    after = {name: (page.version, page.source) for name, page in pages_of(runtime).items()}
    assert after == before
    assert content_of(runtime, "a.bin") == b"1"


def test_a_member_may_update_but_not_replace(load: Load, loaded: Path, people: People) -> None:
    member = people.make("m2")
    people.join(member, "p1")
    assert load(loaded, actor=member, on_conflict=OnConflict.UPDATE).outcome == "updated"
    with pytest.raises(ForbiddenError):
        load(loaded, actor=member, on_conflict=OnConflict.REPLACE)


@pytest.mark.parametrize(
    ("limit", "word"),
    [({"project_quota_mb": 1}, "quota"), ({"disk_reserve_mb": 10**9}, "stay free")],
)
def test_room_is_checked_before_anything_is_copied(
    make_settings: Callable[..., Settings],
    people: People,
    make_folder: MakeFolder,
    m1: Actor,
    runtime: Runtime,
    limit: dict[str, int],
    word: str,
) -> None:
    narrow = Runtime.open(make_settings(database_url=runtime.settings.database, **limit))
    order = LoadOrder(folder=make_folder("docs", {"big.bin": b"0" * 1_100_000}), project_id="p1")
    with pytest.raises(ConflictError, match=word):
        load_folder(narrow, order=order, actor=m1)
    narrow.close()
    assert not project_folder(runtime.settings, "p1").exists()


def test_a_real_manual_is_loaded_in_short_transactions(runtime: Runtime, m1: Actor) -> None:
    transactions = Transactions(runtime.engine)
    order = LoadOrder(folder=MANUAL, project_id="manual")
    report = load_folder(runtime, order=order, actor=m1)
    assert report.pages > 1000
    assert report.files > 3
    assert pages_of(runtime, "manual")["index"].title.startswith("PostgreSQL 15")
    transactions.assert_short()


def test_who_only_edits_gives_no_other_title(
    runtime: Runtime, people: People, load: Load, make_folder: MakeFolder
) -> None:
    folder = make_folder("docs", {"a.md": "# A"})
    load(folder, policy=Policy.OPEN, title="Docs")
    order = LoadOrder(folder=folder, project_id="p1", title="Mine", on_conflict=OnConflict.UPDATE)
    with pytest.raises(ForbiddenError):
        load_folder(runtime, order=order, actor=people.make("m2"))
    with runtime.reads() as session:
        assert session.get_one(Project, "p1").title == "Docs"


@pytest.mark.parametrize("title", ["x" * 256, "red\x1b[31m", "a\0b"])
def test_a_title_that_no_project_may_have_changes_nothing(
    runtime: Runtime, load: Load, make_folder: MakeFolder, title: str
) -> None:
    load(make_folder("docs", {"a.md": "# A"}), title="Docs")
    newer = make_folder("newer", {"a.md": "# B"})
    with pytest.raises(InvalidError):
        load(newer, title=title, on_conflict=OnConflict.UPDATE)
    assert pages_of(runtime)["a"].title == "A"


def test_a_skipped_name_cannot_command_the_terminal(load: Load, make_folder: MakeFolder) -> None:
    report = load(make_folder("docs", {"a.md": "# A", "\x1b]0;evil\x07\n.md": "x"}))
    assert [entry.path for entry in report.skipped] == ["\ufffd]0;evil\ufffd\ufffd.md"]
