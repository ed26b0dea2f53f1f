"""The house rules of imports: rooms look downwards only, Flask and Click stay in their files."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

PORTAL = Path(__file__).parents[1] / "portal"
AREAS = ("projects", "datacenter", "imports", "delivery", "showroom")
FLOORS = (
    AREAS,
    ("tables", "accounts.processors"),
    ("rows",),
    ("jobs",),
    ("artifacts",),
    ("accounts",),
    ("audit",),
    ("accounts.permissions",),
    ("tabular",),
    ("runtime",),
    ("db", "lookups", "brief", "redis_server", "guard", "logs"),
    ("settings",),
    ("files", "visible", "patterns", "later", "addresses"),
    ("errors",),
)
ASSEMBLE = ("app", "wsgi", "cli", "up", "check", "checks", "backup", "backups", "example")
ASSEMBLE += ("first_start", "assembly", "plugins", "reconcile", "migrations")
LAYERS = ("models", "service", "tasks", "routes")
FLASK_PACKAGES = ("flask", "werkzeug", "wtforms", "htmx_flask")
FLASK_ROOMS = ("web", "app", "wsgi")
FLASK_FILES = ("routes.py", "forms.py")
CLICK_FILES = ("cli.py", "commands.py")
LINES = 300
FILES = sorted(path for path in PORTAL.rglob("*.py") if "versions" not in path.parts)


def room_of(module: str) -> str:
    if module == "portal.accounts.permissions":
        return "accounts.permissions"  # pure, and below the log that the rest of accounts writes
    if module == "portal.accounts.processors":
        return "accounts.processors"  # users as records: above the rows (docs/decisions/056)
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def floor_of(room: str) -> int | None:
    return next((index for index, rooms in enumerate(FLOORS) if room in rooms), None)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> list[tuple[str, int]]:
    tree = tree_of(path)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(name.name, node.lineno) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            if node.module == "portal":
                found += [(f"portal.{name.name}", node.lineno) for name in node.names]
            else:
                found.append((node.module or "", node.lineno))
    return found


def portal_imports(path: Path) -> list[tuple[str, int]]:
    return [(module, line) for module, line in imports(path) if module.startswith("portal.")]


def own_room(path: Path) -> str:
    above = path.parts[::-1].index(PORTAL.name)
    inside = path.parts[-above:]
    if inside == ("accounts", "processors.py"):
        return "accounts.processors"
    return inside[0].removesuffix(".py")


def imports_from_above(path: Path) -> Iterator[str]:
    mine = floor_of(own_room(path))
    if mine is None:
        return
    for module, line in portal_imports(path):
        theirs = floor_of(room_of(module))
        if theirs is None:
            continue
        if theirs < mine:
            yield f"{line}: imports {module}, which lies above"
        if theirs == mine and room_of(module) != own_room(path) and mine < 10:
            yield f"{line}: imports {module}, a neighbour"


def web_beside_routes_and_forms(path: Path) -> Iterator[str]:
    if own_room(path) in FLASK_ROOMS or path.name in FLASK_FILES:
        return
    for module, line in portal_imports(path):
        if room_of(module) == "web":
            yield f"{line}: imports {module}"


def flask_or_click_elsewhere(path: Path) -> Iterator[str]:
    for module, line in imports(path):
        package = module.split(".")[0]
        is_flask = package in FLASK_PACKAGES or package.startswith("flask_")
        if is_flask and own_room(path) not in FLASK_ROOMS and path.name not in FLASK_FILES:
            yield f"{line}: imports {module}"
        if package == "click" and path.name not in CLICK_FILES:
            yield f"{line}: imports {module}"


def what_assembles_from_below(path: Path) -> Iterator[str]:
    if own_room(path) in ASSEMBLE:
        return
    for module, line in portal_imports(path):
        if room_of(module) in ASSEMBLE:
            yield f"{line}: imports {module}"


def layers_upwards(path: Path) -> Iterator[str]:
    layer = path.stem
    if layer not in LAYERS:
        return
    for module, line in portal_imports(path):
        parts = module.split(".")
        same_room = parts[1] == own_room(path) and len(parts) > 2 and parts[2] in LAYERS
        if same_room and LAYERS.index(parts[2]) > LAYERS.index(layer):
            yield f"{line}: imports {module}"


def imports_inside_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for inner in ast.walk(node):
                if isinstance(inner, (ast.Import, ast.ImportFrom)):
                    yield f"{inner.lineno}: an import inside a function"


def too_many_lines(path: Path) -> Iterator[str]:
    lines = len(path.read_text().splitlines())
    if lines > LINES:
        yield f"{lines} lines"


RULES: tuple[Callable[[Path], Iterator[str]], ...] = (
    imports_from_above,
    web_beside_routes_and_forms,
    flask_or_click_elsewhere,
    what_assembles_from_below,
    layers_upwards,
    imports_inside_functions,
    too_many_lines,
)


@pytest.mark.parametrize("rule", RULES)
def test_no_file_has(rule: Callable[[Path], Iterator[str]]) -> None:
    assert [f"{path}:{said}" for path in FILES for said in rule(path)] == []


@pytest.mark.parametrize(
    ("rule", "where", "text"),
    [
        (imports_from_above, "jobs/x.py", "import portal.rows.batch"),
        (imports_from_above, "projects/x.py", "from portal.datacenter import folders"),
        (web_beside_routes_and_forms, "jobs/service.py", "from portal.web import pages"),
        (flask_or_click_elsewhere, "jobs/service.py", "import flask_login"),
        (flask_or_click_elsewhere, "jobs/service.py", "from click import echo"),
        (what_assembles_from_below, "jobs/x.py", "import portal.app"),
        (layers_upwards, "jobs/models.py", "import portal.jobs.service"),
        (imports_inside_functions, "jobs/x.py", "def f():\n    import os"),
        (too_many_lines, "jobs/x.py", "\n" * 301),
    ],
)
def test_each_rule_sees_what_breaks_it(
    rule: Callable[[Path], Iterator[str]], where: str, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "portal" / where
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert list(rule(path))
