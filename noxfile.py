"""The front door: `nox -s bench` runs the main job, `nox -s tests` the tests.

Each session makes its own environment with uv and installs upbench there as a wheel, as a user would have it.
"""

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
ROOMS = ("bench", "datasets", "methods", "reports")

# The checkout's folder `datasets` must not be mistaken for a package of that name when Python starts here.
os.environ["PYTHONSAFEPATH"] = "1"
# Without its bytecode each process of a session would compile torch and pandas anew: seven seconds of twelve.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def install(session: nox.Session, *groups: str) -> None:
    """Install the wheel of this checkout, and what a session needs besides."""
    shutil.rmtree("build", ignore_errors=True)  # a stale one leaks deleted modules into the wheel
    session.install("--reinstall-package", "upbench", ".", *nox.project.dependency_groups(PYPROJECT, *groups))


@nox.session
def bench(session: nox.Session) -> None:
    """Measure quality and speed, compare torch versions, write the report; arguments after -- reach `upbench bench`."""
    install(session)
    versions = (
        [] if "--torch" in session.posargs else ["--report-only", "--torch", *PYPROJECT["tool"]["upbench"]["torch"]]
    )
    session.run("upbench", "bench", *session.posargs, *versions)


@nox.session
def report(session: nox.Session) -> None:
    """Rebuild the report from the files of an earlier run."""
    install(session)
    session.run("upbench", "report", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments after -- reach pytest."""
    install(session, "tests")
    session.run("pytest", *session.posargs)


@nox.session
def fleet(session: nox.Session) -> None:
    """Run the tests of `upbench fleet` on three Ray nodes in Linux namespaces of their own; arguments reach pytest."""
    alone = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
    if shutil.which(alone[0]) is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        session.skip("this system makes no network namespaces (unshare), in which the nodes have their addresses")
    install(session, "tests")
    session.install(*PYPROJECT["project"]["optional-dependencies"]["fleet"])
    first = ("sh", "-c", '"$@"; exit $?', "sh")  # the first process takes the dead, as init does; pytest would not
    session.run(*alone, *first, "python", "-m", "pytest", "tests/fleet", *session.posargs, external=True)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests and list the lines that none of them reaches, in child processes too; arguments reach pytest."""
    install(session, "tests", "coverage")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def browser(session: nox.Session) -> None:
    """Open the report's HTML edition in the system's chromium; without one its tests are skipped with the reason."""
    install(session, "tests", "browser")
    session.run("pytest", "tests/reports/test_browser.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style (ruff), who may import whom (import-linter), and the workflows (actionlint, zizmor)."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("actionlint", *map(str, Path(".github/workflows").glob("*.yml")))
    session.run("zizmor", "--offline", "--quiet", ".github")


@nox.session
def types(session: nox.Session) -> None:
    """Check types (mypy, strict)."""
    install(session, "types")
    config = Path("pyproject.toml").resolve()
    packages = [part for room in ROOMS for part in ("-p", f"upbench.{room}")]
    session.run("mypy", "--config-file", str(config), *packages)


@nox.session
def train(session: nox.Session) -> None:
    """Make the learned methods' weights again from a seed; arguments after -- reach `upbench train`."""
    install(session)
    session.run("upbench", "train", "--out", "methods/weights", *session.posargs)
