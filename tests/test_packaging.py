"""What is in the checkout is in the wheel, and every entry point leads somewhere."""

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution, entry_points, packages_distributions, requires
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

from upbench.bench.adapters import discover

ROOMS = ("bench", "datasets", "methods", "reports")
LEFT_OUT = {"__pycache__", "out", "gallery"}


def files(checkout: Path) -> set[str]:
    """Every file of the four rooms, as its path in site-packages."""
    found = set()
    for room in ROOMS:
        for path in (checkout / room).rglob("*"):
            parts = path.relative_to(checkout).parts
            if path.is_file() and not LEFT_OUT & set(parts):
                found.add("/".join(("upbench", *parts)))
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout, built from a copy so that no stale build folder leaks into it."""
    checkout, copy = Path(__file__).resolve().parents[1], tmp_path_factory.mktemp("checkout")
    for name in (*ROOMS, "pyproject.toml", "README.md", "LICENSE"):
        source = checkout / name
        ignored = shutil.ignore_patterns("__pycache__", "out")
        shutil.copytree(source, copy / name, ignore=ignored) if source.is_dir() else shutil.copy(source, copy)
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)],
        capture_output=True,
        text=True,
        cwd=copy.parent,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


def test_every_file_of_the_rooms_is_in_the_wheel_and_nothing_else(wheel: zipfile.ZipFile, checkout: Path) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    needed = {name for name in files(checkout) if not name.endswith(".md")}
    assert needed - packed == set(), "not in the wheel"
    assert packed - files(checkout) == set(), "in the wheel and not in the rooms"


def test_every_package_is_listed_and_typed(checkout: Path) -> None:
    settings = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {
        ".".join(("upbench", *path.parent.relative_to(checkout).parts))
        for room in ROOMS
        for path in (checkout / room).rglob("__init__.py")
    }
    assert set(settings["packages"]) == packages
    for package in packages:
        folder = checkout / package.removeprefix("upbench.").replace(".", "/")
        assert (folder / "py.typed").is_file(), package


def test_one_name_and_only_one_goes_into_site_packages(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" not in name} == {"upbench"}


def test_the_licence_and_the_readme_go_with_the_wheel(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert [name for name in names if name.endswith("LICENSE")]
    (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
    text = wheel.read(metadata).decode()
    assert "License-Expression: MIT" in text
    assert "# upbench" in text


def test_the_installed_methods_are_the_ones_that_pyproject_lists(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    listed = project["entry-points"]["upbench.methods"]
    installed = {e.name: e.value for e in entry_points(group="upbench.methods") if e.value.startswith("upbench.")}
    assert installed == listed
    assert set(discover()) >= set(listed)


@pytest.mark.parametrize("group, name", [(e.group, e.name) for e in distribution("upbench").entry_points])
def test_every_entry_point_loads_something_that_can_be_called(group: str, name: str) -> None:
    (entry,) = [e for e in distribution("upbench").entry_points if (e.group, e.name) == (group, name)]
    assert callable(entry.load())


def imported_at_once(path: Path) -> set[str]:
    """Top-level names of the packages that a module imports as soon as it is imported itself."""
    names = set()
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            names.add(statement.module or "")
    return {name.partition(".")[0] for name in names}


def test_every_library_that_ours_imports_is_declared(checkout: Path) -> None:
    declared = {re.match(r"[\w.-]+", line)[0].lower() for line in requires("upbench") or () if "extra ==" not in line}
    owners = packages_distributions()
    modules = [path for room in ROOMS for path in (checkout / room).rglob("*.py")]
    for name in set().union(*map(imported_at_once, modules)) - sys.stdlib_module_names - {"upbench"}:
        assert declared & {owner.lower() for owner in owners[name]}, f"{name} is imported and not declared"
