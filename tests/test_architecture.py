"""The house rules of imports: rooms look downwards only, Flask and Click stay in their files."""

import ast
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
    ("files", "visible"),
    ("errors",),
)
ASSEMBLE = ("app", "wsgi", "cli", "up", "check", "checks", "backup", "backups", "example")
ASSEMBLE += ("first_start", "assembly", "plugins", "reconcile", "migrations")
LAYERS = ("models", "service", "tasks", "routes")
FLASK_ROOMS = ("web", "app", "wsgi")
FLASK_FILES = ("routes.py", "forms.py")
CLICK_FILES = ("cli.py", "commands.py")
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


def imports(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text())
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
    if path == PORTAL / "accounts" / "processors.py":
        return "accounts.processors"
    return path.relative_to(PORTAL).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_a_room_imports_only_from_below(path: Path) -> None:
    mine = floor_of(own_room(path))
    if mine is None:
        return
    for module, line in portal_imports(path):
        theirs = floor_of(room_of(module))
        if theirs is None:
            continue
        where = f"{path}:{line} imports {module}"
        assert theirs >= mine, f"{where}: it lies above"
        assert theirs > mine or room_of(module) == own_room(path) or mine >= 10, (
            f"{where}: a neighbour"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_the_web_room_is_entered_from_routes_forms_and_the_app_only(path: Path) -> None:
    if own_room(path) in FLASK_ROOMS or path.name in FLASK_FILES:
        return
    entered = [(module, line) for module, line in portal_imports(path) if room_of(module) == "web"]
    assert entered == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_flask_and_click_stay_in_their_files(path: Path) -> None:
    names = {module.split(".")[0] for module, _line in imports(path)}
    flask = {name for name in names if name in ("flask", "werkzeug", "wtforms", "htmx_flask")}
    flask |= {name for name in names if name.startswith("flask_")}
    if own_room(path) not in FLASK_ROOMS and path.name not in FLASK_FILES:
        assert flask == set()
    if path.name not in CLICK_FILES:
        assert "click" not in names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_assembling_modules_are_imported_by_nobody_below(path: Path) -> None:
    if own_room(path) in ASSEMBLE:
        return
    above = [module for module, _line in portal_imports(path) if room_of(module) in ASSEMBLE]
    assert above == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_inside_a_room_layers_look_down(path: Path) -> None:
    layer = path.stem
    if layer not in LAYERS:
        return
    for module, line in portal_imports(path):
        parts = module.split(".")
        if parts[1] == own_room(path) and len(parts) > 2 and parts[2] in LAYERS:
            assert LAYERS.index(parts[2]) <= LAYERS.index(layer), f"{path}:{line} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_imports_stand_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text())
    inside = [
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]
    assert inside == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_a_file_has_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
