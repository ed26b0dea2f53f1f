"""The wheel holds all that a portal needs and runs outside of a checkout."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from portal import __version__

ROOT = Path(__file__).parents[1]
ASKED = """
import re
from portal.app import create_app
from portal.settings import Settings

browser = create_app(Settings.from_environment()).test_client()
page = browser.get("/login")
print("login", page.status_code)
style = re.search(r'href="(/static/[^"]+\\.css[^"]*)"', page.get_data(as_text=True))[1]
print("stylesheet", browser.get(style).status_code)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheel, and our dependencies by a path file."""
    place = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    subprocess.run(
        [place / "bin" / "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True
    )
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = place / "lib" / version / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"


def run(command: list[object], folder: Path) -> str:
    """Run `command` in `folder` with no setting but its data folder; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=kept | {"PORTAL_DATA": str(folder / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_templates_styles_example_and_worker(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "portal/_ui/templates/base.html",
        "portal/_ui/static/portal.css",
        "portal/_ui/worker.py",
        "portal/example_content/handbook/index.md",
        "portal/migrations/script.py.mako",
    } <= names


def test_the_wheel_holds_nothing_but_the_portal(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"portal", f"portal-{__version__}.dist-info"}


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    said = run([installed / "python", "-c", "import portal; print(portal.__file__)"], tmp_path)
    assert Path(said.strip()).is_relative_to(installed.parent)


def test_the_installed_program_says_its_version(installed: Path, tmp_path: Path) -> None:
    assert __version__ in run([installed / "portal", "--version"], tmp_path)


def test_the_installed_portal_loads_its_example(installed: Path, tmp_path: Path) -> None:
    run([installed / "portal", "example"], tmp_path)
    assert "example-handbook" in run([installed / "portal", "projects", "list"], tmp_path)


def test_the_installed_portal_shows_its_sign_in_page_with_style(
    installed: Path, tmp_path: Path
) -> None:
    run([installed / "portal", "projects", "list"], tmp_path)  # makes the database
    said = run([installed / "python", "-c", ASKED], tmp_path)
    assert said.splitlines() == ["login 200", "stylesheet 200"]
