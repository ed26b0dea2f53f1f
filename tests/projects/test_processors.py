"""Projects, members and pages as records: rights, refusals, and that everything can be undone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.audit.models import AuditEntry
from portal.errors import ForbiddenError
from portal.jobs.models import Job
from portal.projects.members import list_members
from portal.projects.models import PageFormat, PageVersion, Policy, ProjectRole
from portal.projects.pages import NAME_BYTES, get_page, remove_page, write_page
from portal.projects.processors import MEMBERS, PAGES, PROCESSORS, PROJECTS
from portal.rows.processors import Acting, Checking, Mode, Processor, Record, RefusedRowError
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tabular.fields import Value, Values
from tests.projects.people import People

NUMBERS = count()


@pytest.fixture
def session(runtime: Runtime) -> Iterator[Session]:
    with runtime.sessions() as opened:
        yield opened


@pytest.fixture
def m1(people: People) -> Actor:
    return people.make("m1")


@pytest.fixture
def m2(people: People) -> Actor:
    return people.make("m2")


@pytest.fixture
def op(people: People) -> Actor:
    return people.make("op", Role.OPERATOR)


@pytest.fixture
def acting(settings: Settings, runtime: Runtime, m1: Actor) -> Acting:
    """The member m1, who makes projects of his own."""
    return Acting(actor=m1, now=runtime.clock(), settings=settings)


@pytest.fixture
def system(acting: Acting) -> Acting:
    return replace(acting, actor=SYSTEM)


@pytest.fixture
def make(session: Session, acting: Acting) -> Callable[..., Record]:
    """`make(processor, **values)` as m1."""

    def make_one(processor: Processor = PROJECTS, **values: Value) -> Record:
        defaults: dict[str, Values] = {
            "projects": {"id": "p1"},
            "members": {"project": "p1"},
            "pages": {"project": "p1", "name": "a/b", "text": "# One"},
        }
        return processor.records.create(session, defaults[processor.name] | values, acting=acting)

    return make_one


def found(session: Session, processor: Processor, values: Values, acting: Acting) -> Record | None:
    session.expire_all()
    identity = {name: values[name] for name in processor.identities[0]}
    return processor.records.find(session, identity, acting=acting)


def refusal(call: Callable[[], object]) -> RefusedRowError:
    with pytest.raises(RefusedRowError) as refused:
        call()
    return refused.value


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_three_kinds_of_records_are_offered_in_all_modes() -> None:
    assert [processor.name for processor in PROCESSORS] == ["projects", "members", "pages"]
    assert {processor.modes for processor in PROCESSORS} == {tuple(Mode)}


def test_every_value_of_a_record_is_declared(make: Callable[..., Record], m2: Actor) -> None:
    for processor, values in ((PROJECTS, {}), (MEMBERS, {"user": "m2"}), (PAGES, {})):
        made = make(processor, **values)
        assert list(made.values) == [field.name for field in processor.fields]


def test_a_project_is_its_makers_unless_it_is_said(make: Callable[..., Record]) -> None:
    assert make().values == {"id": "p1", "title": "p1", "policy": "medium", "owner": "m1"}


def test_an_owner_is_the_new_projects_only_admin(
    session: Session, system: Acting, m2: Actor
) -> None:
    made = PROJECTS.records.create(session, {"id": "p1", "owner": "M2"}, acting=system)
    members = [(member.name, member.role) for member in list_members(session, "p1")]
    assert made.values["owner"] == "m2"
    assert members == [("m2", ProjectRole.ADMIN)]


def test_only_who_manages_all_projects_makes_one_for_others(
    make: Callable[..., Record], m2: Actor
) -> None:
    assert "ask an administrator" in str(refusal(lambda: make(id="p2", owner="m2")))
    assert "ask an administrator" in str(refusal(lambda: make(id="p3", owner=None)))


def test_only_members_make_projects(session: Session, acting: Acting, people: People) -> None:
    operator = replace(acting, actor=people.make("op", Role.OPERATOR))
    refused = refusal(lambda: PROJECTS.records.create(session, {"id": "p"}, acting=operator))
    assert str(refused) == "Only members may create projects; ask an administrator."


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"id": "A B"}, "id"),
        ({"owner": "nobody"}, "owner"),
        ({"policy": "secret"}, "policy"),
    ],
)
def test_what_a_project_cannot_have_is_refused_at_its_field(
    make: Callable[..., Record], values: Values, field: str
) -> None:
    assert refusal(lambda: make(**values)).field == field


def test_a_project_that_may_not_be_seen_is_not_found(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    made = make(policy="closed")
    other = replace(acting, actor=m2)
    assert found(session, PROJECTS, made.values, other) is None
    assert found(session, PROJECTS, made.values, acting) == made
    update = {"title": "Mine"}
    refused = refusal(lambda: PROJECTS.records.update(session, made, update, acting=other))
    assert str(refused) == "Cannot update: no such entry"
    refused = refusal(lambda: PROJECTS.records.remove(session, made, acting=other))
    assert str(refused) == "Cannot remove: no such entry"


def test_a_project_is_changed_by_its_admins_only(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    made = make()
    other = replace(acting, actor=m2)
    update = {"title": "Mine"}
    refused = refusal(lambda: PROJECTS.records.update(session, made, update, acting=other))
    assert (str(refused), refused.field) == ("Only a ProjectAdmin may do this; ask one.", "")
    refusal(lambda: PROJECTS.records.remove(session, made, acting=other))


def test_another_owner_changes_nobodys_role(
    session: Session, acting: Acting, system: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    made = make()
    changed = PROJECTS.records.update(session, made, {"owner": "m2"}, acting=system)
    assert changed.values == made.values | {"owner": "m2"}
    assert [member.name for member in list_members(session, "p1")] == ["m1"]
    refusal(lambda: PROJECTS.records.update(session, changed, {"owner": "m1"}, acting=acting))


def test_a_change_that_changes_nothing_is_not_audited(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make()
    assert PROJECTS.records.update(session, made, made.values, acting=acting) == made
    assert actions(session) == ["project.create"]


def test_a_project_that_holds_something_stays(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    made = make()
    make(PAGES)
    make(MEMBERS, user="m2")
    refused = refusal(lambda: PROJECTS.records.remove(session, made, acting=acting))
    assert "'p1' still holds pages and members" in str(refused)


def test_a_project_with_exports_stays(
    session: Session, runtime: Runtime, acting: Acting, make: Callable[..., Record]
) -> None:
    made = make()
    session.add(
        Job(
            id="j",
            kind="projects.export",
            area="projects",
            title="-",
            subject_kind="project",
            subject_id="p1",
            queue="bulk",
            idem_key="-",
            args={},
            requester_name="m1",
            created_at=runtime.clock(),
            updated_at=runtime.clock(),
        )
    )
    session.flush()
    refused = refusal(lambda: PROJECTS.records.remove(session, made, acting=acting))
    assert "still holds exports" in str(refused)


@pytest.mark.parametrize("processor", [MEMBERS, PAGES], ids=["members", "pages"])
def test_without_its_project_nothing_is_made(
    make: Callable[..., Record], processor: Processor
) -> None:
    refused = refusal(lambda: make(processor, user="m1", project="p9"))
    assert (str(refused), refused.field) == ("Not all parents do exist yet.", "project")


@pytest.mark.parametrize("processor", [MEMBERS, PAGES], ids=["members", "pages"])
def test_a_closed_project_is_like_none_for_strangers(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record], processor: Processor
) -> None:
    make(policy="closed")
    values: Values = {"project": "p1", "user": "m1", "name": "a/b", "text": "# One"}
    made = make(PAGES) if processor is PAGES else found(session, MEMBERS, values, acting)
    other, records = replace(acting, actor=m2), processor.records
    assert made is not None
    assert found(session, processor, values, other) is None
    calls = [
        lambda: records.create(session, values | {"name": "c"}, acting=other),
        lambda: records.update(session, made, {"role": "ProjectMember"}, acting=other),
        lambda: records.remove(session, made, acting=other),
    ]
    assert [str(refusal(call)) for call in calls] == [
        "Not all parents do exist yet.",
        "Cannot update: no such entry",
        "Cannot remove: no such entry",
    ]


def test_members_are_changed_by_admins_only(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    make()
    member = make(MEMBERS, user="m2")
    other, records = replace(acting, actor=m2), MEMBERS.records
    values: Values = {"role": "ProjectAdmin"}
    calls = [
        lambda: records.update(session, member, values, acting=other),
        lambda: records.remove(session, member, acting=other),
    ]
    for call in calls:
        assert str(refusal(call)) == "Only a ProjectAdmin may do this; ask one."


def test_a_member_is_somebody(make: Callable[..., Record]) -> None:
    make()
    refused = refusal(lambda: make(MEMBERS, user="nobody"))
    assert (str(refused), refused.field) == ("There is no user called 'nobody'.", "user")


def test_the_last_admin_of_a_project_stays(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    make()
    last = found(session, MEMBERS, {"project": "p1", "user": "M1"}, acting)
    assert last is not None
    mere: Values = {"role": "ProjectMember"}
    removing = refusal(lambda: MEMBERS.records.remove(session, last, acting=acting))
    demoting = refusal(lambda: MEMBERS.records.update(session, last, mere, acting=acting))
    assert str(removing) == str(demoting) == "Cannot remove last admin: m1"
    assert demoting.field == "role"


def test_a_member_is_let_in_as_a_mere_member_unless_it_is_said(
    m2: Actor, make: Callable[..., Record]
) -> None:
    make()
    member = make(MEMBERS, user="M2")
    assert member.values == {"project": "p1", "user": "m2", "role": "ProjectMember"}


def test_a_page_gets_its_title_from_its_text_and_its_file_name_from_its_name(
    make: Callable[..., Record],
) -> None:
    make()
    assert make(PAGES).values == {
        "project": "p1",
        "name": "a/b",
        "title": "One",
        "format": "markdown",
        "file_name": "a/b.md",
        "text": "# One",
    }


def test_a_page_that_is_there_is_not_made_again(make: Callable[..., Record]) -> None:
    make()
    make(PAGES, name="É")
    assert str(refusal(lambda: make(PAGES, name="e\u0301"))) == "This object already exists."


@pytest.mark.parametrize(
    "values",
    [
        {"name": "../x"},
        {"name": "x" * (NAME_BYTES + 1)},
        {"title": "two\nlines"},
        {"title": "x" * 513},
        {"text": "a\0b"},
        {"text": "\ud800"},
        {"title": "\ud800"},
        {"file_name": "../x.md"},
        {"format": "word"},
    ],
)
def test_what_a_page_cannot_have_is_refused(make: Callable[..., Record], values: Values) -> None:
    make()
    refusal(lambda: make(PAGES, **values))


def test_a_page_keeps_its_title_when_its_text_changes(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    make()
    made = make(PAGES)
    changed = PAGES.records.update(session, made, {"text": "# Two"}, acting=acting)
    assert changed.values == made.values | {"text": "# Two"}
    assert found(session, PAGES, made.values, acting) == changed


def test_a_cleared_title_is_found_in_the_text_again(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    make()
    made = make(PAGES, title="Other")
    assert made.values["title"] == "Other"
    changed = PAGES.records.update(session, made, {"title": None}, acting=acting)
    assert changed.values["title"] == "One"


def test_every_change_of_a_page_is_a_version_that_says_what_made_it(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    make()
    PAGES.records.update(session, make(PAGES), {"text": "# Two"}, acting=acting)
    versions = session.scalars(select(PageVersion).order_by(PageVersion.number)).all()
    assert [version.source for version in versions] == ["# One", "# Two"]
    assert {version.comment for version in versions} == {"Changed by a batch"}


def test_who_may_only_see_a_project_changes_no_page(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    make()
    page, other = make(PAGES), replace(acting, actor=m2)
    assert found(session, PAGES, page.values, other) == page
    values: Values = {"project": "p1", "name": "c", "text": "-"}
    calls = [
        lambda: PAGES.records.create(session, values, acting=other),
        lambda: PAGES.records.update(session, page, {"text": "-"}, acting=other),
        lambda: PAGES.records.remove(session, page, acting=other),
    ]
    for call in calls:
        assert "ask to become a member" in str(refusal(call))


def test_an_editor_takes_back_only_a_page_that_is_all_his_own(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    make(policy=str(Policy.OPEN))
    editor = replace(acting, actor=m2)
    values: Values = {"project": "p1", "name": "mine", "text": "-"}
    own = PAGES.records.create(session, values, acting=editor)
    refusal(lambda: PAGES.records.remove(session, make(PAGES), acting=editor))
    PAGES.records.remove(session, own, acting=editor)
    assert found(session, PAGES, own.values, acting) is None


def test_a_page_with_a_history_is_removed_by_an_admin(
    session: Session, runtime: Runtime, m1: Actor, m2: Actor, make: Callable[..., Record]
) -> None:
    make(policy=str(Policy.OPEN))
    who = {"project_id": "p1", "name": "a", "now": runtime.clock()}
    for _ in range(2):
        write_page(session, actor=m2, source="-", page_format=PageFormat.HTML, **who)
    with pytest.raises(ForbiddenError):
        remove_page(session, actor=m2, **who)
    remove_page(session, actor=m1, **who)
    assert session.scalar(select(func.count()).select_from(PageVersion)) == 0


def test_every_change_is_audited(
    session: Session, acting: Acting, m2: Actor, make: Callable[..., Record]
) -> None:
    project, member, page = make(), make(MEMBERS, user="m2"), make(PAGES)
    admin: Values = {"role": "ProjectAdmin"}
    MEMBERS.records.update(session, member, admin, acting=acting)
    PAGES.records.remove(session, page, acting=acting)
    MEMBERS.records.remove(session, member, acting=acting)
    PROJECTS.records.update(session, project, {"title": "P"}, acting=acting)
    PROJECTS.records.remove(session, project, acting=acting)
    assert actions(session) == [
        "project.create",
        "project.member.set",
        "project.page.write",
        "project.member.set",
        "project.page.remove",
        "project.member.remove",
        "project.change",
        "project.remove",
    ]


def test_a_loaded_page_comes_back_under_the_file_name_that_links_know(
    session: Session, acting: Acting, make: Callable[..., Record]
) -> None:
    make()
    page = make(PAGES, name="a", file_name="Ä/a.HTM", format="html", text="<p>x")
    PAGES.records.remove(session, page, acting=acting)
    PAGES.records.create(session, page.values, acting=acting)
    assert get_page(session, project_id="p1", name="a").file_name == "Ä/a.HTM"


LINES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1
).filter(lambda text: text.strip() == text)
TEXTS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
PARTS = st.text(st.characters(codec="ascii", exclude_characters="/\\\x7f", min_codepoint=33))
FILE_NAMES = st.lists(PARTS.filter(lambda part: part.strip(".")), min_size=1, max_size=3).map(
    "/".join
)
STATES: dict[str, dict[str, st.SearchStrategy[Value]]] = {
    "projects": {
        "title": LINES.map(lambda text: " ".join(text.split())[:200]),
        "policy": st.sampled_from([str(policy) for policy in Policy]),
        "owner": st.sampled_from(["m1", "m2", None]),
    },
    "members": {"role": st.sampled_from([str(role) for role in ProjectRole])},
    "pages": {
        "title": LINES.map(lambda text: text[:500]),
        "format": st.sampled_from([str(known) for known in PageFormat]),
        "file_name": FILE_NAMES,
        "text": TEXTS,
    },
}
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Processor, Values, Values]:
    """A processor, values for a new record, and values for an update of it."""
    processor = draw(st.sampled_from(PROCESSORS))
    made = draw(st.fixed_dictionaries({}, optional=STATES[processor.name]))
    change = draw(st.fixed_dictionaries({}, optional=STATES[processor.name]))
    return processor, made, change


def identity_in(session: Session, processor: Processor, acting: Acting) -> Values:
    """An identity that is free, in a project of its own."""
    project_id = f"p{next(NUMBERS)}"
    if processor is PROJECTS:
        return {"id": project_id}
    PROJECTS.records.create(session, {"id": project_id, "owner": "m1"}, acting=acting)
    more: Values = {"user": "m2"} if processor is MEMBERS else {"name": "Größe/page"}
    return {"project": project_id} | more


@EXAMPLES
@given(story=stories())
def test_what_an_update_changed_the_values_before_bring_back(
    runtime: Runtime, system: Acting, m2: Actor, story: tuple[Processor, Values, Values]
) -> None:
    processor, values, change = story
    with runtime.sessions() as session:
        identity = identity_in(session, processor, system)
        made = processor.records.create(session, identity | values, acting=system)
        assert found(session, processor, identity, system) == made
        changed = processor.records.update(session, made, change, acting=system)
        assert found(session, processor, identity, system) == changed
        processor.records.update(session, changed, made.values, acting=system)
        assert found(session, processor, identity, system) == made


@EXAMPLES
@given(story=stories())
def test_what_remove_took_the_values_before_bring_back(
    runtime: Runtime, system: Acting, m2: Actor, story: tuple[Processor, Values, Values]
) -> None:
    processor, values, _change = story
    with runtime.sessions() as session:
        identity = identity_in(session, processor, system)
        made = processor.records.create(session, identity | values, acting=system)
        processor.records.remove(session, made, acting=system)
        assert found(session, processor, identity, system) is None
        processor.records.create(session, made.values, acting=system)
        restored = found(session, processor, identity, system)
        assert restored is not None
        assert restored.values == made.values


BAD: dict[str, dict[str, st.SearchStrategy[Value]]] = {
    "projects": {
        "title": st.sampled_from([None, "", "x" * 256]),
        "policy": st.sampled_from(["secret", None]),
        "owner": st.sampled_from(["nobody", "m1", "m2", None]),
    },
    "members": {"role": st.sampled_from(["king", None]), "user": st.sampled_from(["m2", "nobody"])},
    "pages": {
        "title": st.sampled_from([None, "two\nlines"]),
        "format": st.sampled_from(["word", None]),
        "file_name": st.sampled_from([None, "../x"]),
        "text": st.sampled_from([None, "a\0b"]),
    },
}


@st.composite
def attempts(draw: st.DrawFn) -> tuple[Processor, Mode, str, str, Values]:
    """A processor, a mode, who tries it, the project's policy, and values good and bad."""
    processor = draw(st.sampled_from(PROCESSORS))
    states, bad = STATES[processor.name], BAD[processor.name]
    optional = {name: st.one_of(states.get(name, st.nothing()), bad[name]) for name in bad}
    return (
        processor,
        draw(st.sampled_from((Mode.CREATE, Mode.UPDATE, Mode.REMOVE))),
        draw(st.sampled_from(["m1", "m2", "op", "system"])),
        str(draw(st.sampled_from(Policy))),
        draw(st.fixed_dictionaries({}, optional=optional)),
    )


def outcome(call: Callable[[], object]) -> tuple[str, str] | None:
    """What was refused and at which field; None where it was done."""
    try:
        call()
    except RefusedRowError as refused:
        return str(refused), refused.field
    return None


@settings(EXAMPLES, max_examples=80)
@given(attempt=attempts())
def test_a_check_refuses_what_doing_it_would_refuse_and_writes_nothing(
    runtime: Runtime,
    system: Acting,
    m1: Actor,
    m2: Actor,
    op: Actor,
    attempt: tuple[Processor, Mode, str, str, Values],
) -> None:
    processor, mode, who, policy, values = attempt
    actors = {"m1": m1, "m2": m2, "op": op, "system": SYSTEM}
    acting, records = replace(system, actor=actors[who]), processor.records
    with runtime.sessions() as session:
        identity = identity_in(session, processor, system)
        if processor is not PROJECTS:
            known = PROJECTS.records.find(session, {"id": identity["project"]}, acting=system)
            assert known is not None
            PROJECTS.records.update(session, known, {"policy": policy}, acting=system)
        defaults: Values = {"policy": policy, "owner": "m1"} if processor is PROJECTS else {}
        record = None
        if mode is not Mode.CREATE:
            record = records.create(session, identity | defaults, acting=system)
        session.flush()
        before = actions(session)
        given_values = identity | values
        assert isinstance(records, Checking)
        checked = outcome(lambda: records.check(session, mode, record, given_values, acting=acting))
        assert not session.new | session.dirty | session.deleted
        assert actions(session) == before

        def done() -> object:
            if record is None:
                return records.create(session, given_values, acting=acting)
            if mode is Mode.UPDATE:
                return records.update(session, record, given_values, acting=acting)
            return records.remove(session, record, acting=acting)

        assert checked == outcome(done)
