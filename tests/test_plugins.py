"""Processors of other packages: the one in the documentation works, broken ones are left out."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.accounts.permissions import SYSTEM, Actor, Role
from portal.assembly import PLUGINS, PROCESSORS, SHIPPED
from portal.plugins import GROUP, Plugins, load_plugins
from portal.projects.models import Policy
from portal.projects.service import create_project
from portal.rows.processors import Acting, RefusedRowError
from portal.runtime import Runtime
from portal.settings import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTED = (ROOT / "docs" / "processors.md").read_text()
ADMIN = Actor(user_id=None, name="root", roles=frozenset({Role.ADMIN}))
GOOD = """
from portal.rows.processors import Mode, Processor, Record
from portal.tabular.fields import Field

class Things:
    def find(self, session, values, *, acting): return None
    def create(self, session, values, *, acting): return Record(key="1", values=values)
    def update(self, session, record, values, *, acting): return record
    def remove(self, session, record, *, acting): return None

def thing(**values):
    defaults = dict(name="things", title="Things", help="", fields=(Field(name="id"),),
                    identities=(("id",),), modes=(Mode.CREATE,), records=Things())
    return Processor(**defaults | values)
"""


def block(language: str) -> str:
    """The one block of code in this language that the documentation shows."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENTED, re.DOTALL)
    return str(found)


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """`install(package, module, code, points)` as pip does; returns the path for Python."""
    place = tmp_path / "site-packages"
    modules: list[str] = []

    def lay_out(package: str, module: str, code: str, points: dict[str, str]) -> list[str]:
        facts = place / f"{package.replace('-', '_')}-1.0.dist-info"
        facts.mkdir(parents=True)
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (facts / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]))
        (place / f"{module}.py").write_text(code)
        modules.append(module)
        if str(place) not in sys.path:
            sys.path.insert(0, str(place))
        return [str(place)]

    yield lay_out
    if str(place) in sys.path:
        sys.path.remove(str(place))
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def glossary(install: Callable[..., list[str]]) -> list[str]:
    """The package of the documentation, installed."""
    project = tomllib.loads(block("toml"))["project"]
    points = project["entry-points"][GROUP]
    (value,) = points.values()
    return install(project["name"], value.partition(":")[0], block("python"), points)


def load_one(install: Callable[..., list[str]], code: str, value: str = "bad:ONE") -> Plugins:
    return load_plugins(taken=(), path=install("portal-bad", "bad", GOOD + code, {"one": value}))


def reason(install: Callable[..., list[str]], code: str, value: str = "bad:ONE") -> str:
    """Why the one processor of a package is left out."""
    plugins = load_one(install, code, value)
    assert plugins.processors == ()
    (broken,) = plugins.broken
    assert (broken.package, broken.name) == ("portal-bad", "one")
    return broken.reason


def test_the_shipped_processors_are_registered() -> None:
    assert [processor.name for processor in SHIPPED] == ["users", "projects", "members", "pages"]
    assert {PROCESSORS.get(processor.name) for processor in SHIPPED} == set(SHIPPED)


def test_no_package_of_this_environment_is_broken() -> None:
    assert PLUGINS.broken == ()


def test_the_documented_processor_has_forty_lines() -> None:
    assert len([line for line in block("python").splitlines() if line.strip()]) <= 40


def test_the_documented_processor_is_loaded_by_its_entry_point(glossary: list[str]) -> None:
    plugins = load_plugins(taken=(), path=glossary)
    assert [processor.name for processor in plugins.processors] == ["glossary"]
    assert plugins.broken == ()


def test_the_documented_processor_makes_changes_and_removes_records(
    glossary: list[str], runtime: Runtime, settings: Settings
) -> None:
    (processor,) = load_plugins(taken=(), path=glossary).processors
    records, acting = (
        processor.records,
        Acting(actor=SYSTEM, now=runtime.clock(), settings=settings),
    )
    with runtime.sessions() as session:
        who = {"actor": SYSTEM, "now": acting.now}
        create_project(session, project_id="glossary", title="Glossary", **who)
        made = records.create(session, {"term": "Spool", "meaning": "A folder"}, acting=acting)
        assert records.find(session, {"term": "Spool"}, acting=acting) == made
        changed = records.update(session, made, {"meaning": "Three folders"}, acting=acting)
        assert changed.values == {"term": "Spool", "meaning": "Three folders"}
        assert records.update(session, changed, made.values, acting=acting) == made
        records.remove(session, made, acting=acting)
        assert records.find(session, {"term": "Spool"}, acting=acting) is None
        assert records.create(session, made.values, acting=acting).values == made.values


def test_the_documented_processor_asks_for_rights(
    glossary: list[str], runtime: Runtime, settings: Settings
) -> None:
    (processor,) = load_plugins(taken=(), path=glossary).processors
    stranger = Actor(user_id=-1, name="stranger")
    acting = Acting(actor=stranger, now=runtime.clock(), settings=settings)
    with runtime.sessions() as session:
        create_project(
            session,
            actor=SYSTEM,
            project_id="glossary",
            title="Glossary",
            policy=Policy.CLOSED,
            now=acting.now,
        )
        with pytest.raises(RefusedRowError, match="There is no project 'glossary'"):
            processor.records.create(session, {"term": "Spool"}, acting=acting)


def test_packages_without_processors_are_passed_over() -> None:
    assert load_plugins(taken=(), path=[str(ROOT)]) == Plugins()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ONE = 1", "it is no Processor, but of the type int"),
        ("ONE = thing", "it is no Processor, but of the type function"),
        ("ONE = thing(name='Big Things')", "not 'Big Things'"),
        ("ONE = thing(name='table:x')", "its name has to be"),
        ("ONE = thing(fields=())", "it declares no field"),
        ("ONE = thing(fields=(Field(name='id'),) * 2)", "a name of its own"),
        ("ONE = thing(fields=('id',))", "a field of it is no Field"),
        ("ONE = thing(identities=())", "by which fields a record is found"),
        ("ONE = thing(identities=(('id', 'x'),))", "its identity has 'x', which is no field"),
        ("ONE = thing(modes=())", "one of the modes"),
        ("ONE = thing(records=None)", "its records have no function 'find'"),
        ("ONE = thing(permission='all')", "'all' is no permission of Portal"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named"),
        ("TWO = thing()", "AttributeError"),
        ("import sys; sys.exit('I will not')", "SystemExit: I will not"),
        ("ONE = thing(colour='red')", "TypeError"),
        ("ONE = (", "SyntaxError"),
    ],
)
def test_a_broken_processor_is_left_out_and_said_why(
    install: Callable[..., list[str]], code: str, said: str
) -> None:
    assert said in reason(install, code)


def test_all_that_is_wrong_is_said_at_once(install: Callable[..., list[str]]) -> None:
    said = reason(install, "ONE = thing(fields=(), modes=(), name='')")
    assert said.count("; ") >= 3


def test_a_name_that_portal_has_is_refused(install: Callable[..., list[str]]) -> None:
    path = install("portal-bad", "bad", GOOD + "ONE = thing(name='users')", {"one": "bad:ONE"})
    (broken,) = load_plugins(taken=["users"], path=path).broken
    assert str(broken) == (
        "The processor 'one' of the package portal-bad is left out: "
        "Portal has a processor called 'users' already."
    )


def test_of_two_packages_with_one_name_the_first_is_used(
    install: Callable[..., list[str]],
) -> None:
    install("portal-b", "things_b", GOOD + "ONE = thing()", {"one": "things_b:ONE"})
    path = install("portal-a", "things_a", GOOD + "ONE = thing()", {"one": "things_a:ONE"})
    plugins = load_plugins(taken=(), path=path)
    assert [processor.name for processor in plugins.processors] == ["things"]
    (broken,) = plugins.broken
    assert broken.package == "portal-b"
    assert broken.reason == "portal-a has a processor called 'things' already"


def test_a_broken_processor_takes_no_other_with_it(install: Callable[..., list[str]]) -> None:
    code = GOOD + "ONE = thing()\nTWO = 2"
    points = {"one": "things:ONE", "two": "things:TWO"}
    plugins = load_plugins(taken=(), path=install("portal-a", "things", code, points))
    assert [processor.name for processor in plugins.processors] == ["things"]
    assert [broken.name for broken in plugins.broken] == ["two"]


def portal_with(path: list[str], data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `portal` with packages on this path and a data folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", *arguments],
        env=kept | {"PYTHONPATH": os.pathsep.join(path), "PORTAL_DATA": str(data)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_check_names_a_broken_package_and_what_to_do(
    install: Callable[..., list[str]], tmp_path: Path
) -> None:
    path = install("portal-bad", "bad", "1 / 0", {"one": "bad:ONE"})
    done = portal_with(path, tmp_path / "data", "check", "--json")
    said = [one for one in json.loads(done.stdout) if "portal-bad" in one["sentence"]]
    assert done.returncode == 1
    assert [one["level"] for one in said] == ["error"]
    assert "ZeroDivisionError" in said[0]["sentence"]
    assert "portal-bad" in said[0]["remedy"]


def test_the_start_names_a_broken_package(
    install: Callable[..., list[str]], tmp_path: Path
) -> None:
    path = install("portal-bad", "bad", "1 / 0", {"one": "bad:ONE"})
    unusable = tmp_path / "file"
    unusable.write_text("")
    done = portal_with(path, unusable / "data", "up")
    assert "portal-bad is left out" in done.stderr


def test_a_good_package_is_among_the_processors_of_every_process(glossary: list[str]) -> None:
    asked = "from portal.assembly import PROCESSORS; print(PROCESSORS.get('glossary').title)"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(glossary)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "Glossary\n"
