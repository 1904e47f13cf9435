"""The workflows and the two actions: pinned, frugal with permissions, and run step by step as a runner would."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

GITHUB = Path(__file__).resolve().parents[1] / ".github"
FILES = sorted([*GITHUB.glob("workflows/*.yml"), *GITHUB.glob("actions/*/action.yml")])
WORKFLOWS = [path for path in FILES if path.parent.name == "workflows"]
GitHub = runpy.run_path(str(Path(__file__).parent / "gate" / "api.py"))["GitHub"]

UPBENCH = """#!{python}
import sys
from upbench.bench.gate.sides import environments
found = {{"torch": "0.0", "torchvision": None, "torchvision_reason": "none", "python": "3"}}
environments.probe = lambda python: found
from upbench.bench.cli.main import main
sys.exit(main())
"""
RECORDING = """#!{python}
import json, pathlib, sys
pathlib.Path({said!r}).write_text(json.dumps(sys.argv[1:]))
sys.exit(2)
"""


class Job:
    """One job on a runner: a workspace, a temporary folder, artifacts, and the variables that Actions sets.

    Steps that `use` another action are noted, but for the two that carry artifacts, which carry them; the step
    `install` is replaced by `installed`, because packages are not what is tested here.
    """

    def __init__(self, folder: Path, event: dict, api: str = "", artifacts: Path | None = None):
        self.folder, self.temp = folder, folder / "temp"
        for made in (self.temp, folder / "workspace", folder / "home"):
            made.mkdir(parents=True)
        (folder / "event.json").write_text(json.dumps(event))
        self.artifacts = artifacts or folder / "artifacts"
        self.used, self.log, self.steps = [], "", {}
        self.summary = folder / "summary.md"
        self.variables = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {
            "HOME": str(folder / "home"),
            "OMP_NUM_THREADS": "1",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_API_URL": api,
        }
        self.event = event

    def run(self, action: str, **inputs: str) -> int:
        """The exit code of the first step that fails, or 0; `outputs` are then the action's."""
        path = GITHUB / "actions" / action / "action.yml"
        document = yaml.safe_load(path.read_text())
        assert set(inputs) <= set(document["inputs"])
        self.inputs = inputs
        self.inputs = {name: self.evaluate(given["default"]) for name, given in document["inputs"].items()} | inputs
        for step in document["runs"]["steps"]:
            if "uses" in step:
                self.use(step)
            elif step["id"] != "install" and (code := self.execute(step, path.parent)):
                break
        else:
            code = 0
        outputs = document.get("outputs", {}).items()
        self.outputs = {name: self.evaluate(output["value"]) for name, output in outputs}
        return code

    def execute(self, step: dict, folder: Path) -> int:
        output = self.folder / f"output-{step['id']}"
        output.write_text("")
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        own = {name: self.evaluate(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            env=self.variables | {"GITHUB_OUTPUT": str(output), "GITHUB_ACTION_PATH": str(folder)} | own,
            cwd=self.folder / "workspace",
            capture_output=True,
            text=True,
        )
        self.log += done.stdout + done.stderr
        self.steps[step["id"]] = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done.returncode

    def use(self, step: dict) -> None:
        name = step["uses"].partition("@")[0]
        self.used.append(name)
        given = {key: self.evaluate(value) for key, value in step["with"].items()}
        if name == "actions/upload-artifact":
            shutil.copytree(given["path"], self.artifacts / given["name"])
        if name == "actions/download-artifact":
            shutil.copytree(self.artifacts / given["name"], given["path"])
        self.steps[step.get("id", name)] = {"python-version": "3.12.0"}

    def evaluate(self, text: str) -> str:
        def value(found: re.Match) -> str:
            known = {
                "runner.temp": str(self.temp),
                "runner.os": "Linux",
                "runner.arch": "X64",
                "github.token": "a-token",
            }
            known["github.event.workflow_run.id"] = "1"
            known |= {f"inputs.{name}": given for name, given in self.inputs.items()}
            for step, outputs in self.steps.items():
                known |= {f"steps.{step}.outputs.{name}": given for name, given in outputs.items()}
            absent = "" if found[1].startswith("steps.") else None
            return known.get(found[1], absent)

        return re.sub(r"\$\{\{ (\S+) \}\}", value, text)


@pytest.fixture
def job(tmp_path):
    """A measuring job whose upbench takes fake workers for torch."""

    def make(name: str = "measuring", script: str = UPBENCH, **given) -> Job:
        made = Job(tmp_path / name, {"pull_request": {"number": 7}}, artifacts=tmp_path / "artifacts", **given)
        installed(
            made.temp / "upbench" / "bin" / "upbench", script.format(python=sys.executable, said=str(tmp_path / "said"))
        )
        return made

    return make


def installed(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(script)
    path.chmod(0o755)


FEW = {"methods": "nearest bilinear", "workloads": "single", "budget": "20s"}


def test_the_same_is_green_and_every_output_is_there(job, fake):
    ran = job()
    assert ran.run("gate", baseline=str(fake("old")), candidate=str(fake("new")), **FEW) == 0, ran.log
    assert ran.outputs["verdict"] == "SAME"
    assert json.loads(ran.outputs["counts"]) == {"SAME": 2}
    assert Path(ran.outputs["report"]).read_text().startswith("#")
    comment = (ran.artifacts / "upbench" / "comment.md").read_text()
    assert ran.summary.read_text() == comment
    assert comment.startswith("### ✅")
    assert ran.used == ["actions/setup-python", "actions/cache", "actions/upload-artifact"]


@pytest.mark.parametrize(
    ("code", "red", "ends"), [("0", "true", 0), ("1", "true", 1), ("1", "false", 0), ("2", "true", 2), ("3", "true", 0)]
)
def test_red_is_for_confirmed_slowdowns_and_for_mistakes(job, code, red, ends):
    """A first runner may leave red to the second; what could not be measured is said in a warning."""
    ran = job()
    ran.inputs, ran.steps = {"red": red}, {"gate": {"code": code}}
    path = GITHUB / "actions" / "gate" / "action.yml"
    (step,) = [each for each in yaml.safe_load(path.read_text())["runs"]["steps"] if each.get("id") == "verdict"]
    assert ran.execute(step, path.parent) == ends
    assert ("::warning title=upbench::Some cells could not be measured" in ran.log) == (code == "3")


def test_a_mistake_is_red_with_its_one_sentence(job, fake):
    ran = job()
    asked = FEW | {"methods": "bicubick"}
    assert ran.run("gate", baseline=str(fake("old")), candidate=str(fake("new")), **asked) == 2
    assert "bicubick" in ran.log
    assert ran.outputs["verdict"] == ""


def test_without_versions_the_last_commit_is_compared_with_the_one_before(job, tmp_path):
    ran = job(script=RECORDING)
    git(ran, "init", "--quiet")
    git(ran, "commit", "--quiet", "--allow-empty", "-m", "one")
    assert ran.run("gate", method="up.py:one\nmy models/up.py:two\n", workloads="cifar image") == 2
    assert "There is no commit before HEAD here; give actions/checkout fetch-depth: 2." in ran.log
    git(ran, "commit", "--quiet", "--allow-empty", "-m", "two")
    assert (
        ran.run("gate", method="up.py:one\nmy models/up.py:two\n", workloads="cifar image", requirements="kornia") == 2
    )
    said = json.loads((tmp_path / "said").read_text())
    assert said[:11] == ["duet", "--workloads", "cifar", "image", "--threshold", "3%", "--budget", "120s",
                         "--baseline-ref", "HEAD^1", "--candidate-ref"]  # fmt: skip
    assert said[11:16] == ["HEAD", "--method", "up.py:one", "--method", "my models/up.py:two"]


def test_a_nightly_comes_from_its_index_and_the_release_from_where_releases_are(job, tmp_path):
    ran = job(script=RECORDING)
    installed(tmp_path / "bin" / "uv", f'#!/bin/sh\necho "$UV_TORCH_BACKEND $@" >> {tmp_path}/uv\n')
    ran.variables["PATH"] = f"{tmp_path}/bin:{ran.variables['PATH']}"
    index = "https://packages.example/nightly"
    assert ran.run("gate", baseline="2.14.0", candidate="2.16.0.dev20261120", index=index) == 2
    release = f"{ran.variables['HOME']}/.cache/upbench/cpu-2.14.0"
    assert (tmp_path / "uv").read_text().splitlines()[1] == (
        f"cpu pip install --quiet --python {release} torch==2.14.0 numpy"
    )
    said = json.loads((tmp_path / "said").read_text())
    assert said[said.index("--index") :][:6] == [
        "--index", index, "--baseline", release, "--candidate", "2.16.0.dev20261120"]  # fmt: skip


def git(ran: Job, *arguments: str) -> None:
    name = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    subprocess.run(["git", *name, *arguments], cwd=ran.folder / "workspace", check=True, env=ran.variables)


def test_the_comment_is_created_once_and_updated_by_the_next_run(job, fake, tmp_path):
    run = {
        "head_repository": {"owner": {"login": "stranger"}},
        "head_branch": "patch",
        "head_sha": "f" * 40,
        "html_url": "https://github.com/owner/name/actions/runs/1",
    }
    with GitHub() as github:
        for number, ratio in enumerate((1.2, 1.0)):
            measuring = job(f"measuring-{number}")
            sides = {"baseline": str(fake(f"old-{number}")), "candidate": str(fake(f"new-{number}", ratio=ratio))}
            assert measuring.run("gate", **sides, **FEW, name=f"run-{number}") == (1 if ratio > 1 else 0)
            posting = Job(tmp_path / f"posting-{number}", {"workflow_run": run}, github.address, tmp_path / "artifacts")
            python = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
            installed(posting.temp / "upbench-post" / "bin" / "python", python)
            assert posting.run("comment", name=f"run-{number}") == 0, posting.log
    changes = [(method, path) for method, path, _ in github.calls if method != "GET"]
    assert changes == [
        ("POST", "/repos/owner/name/issues/7/comments"),
        ("PATCH", "/repos/owner/name/issues/comments/40"),
    ]
    assert github.comments[0]["body"].splitlines()[1].startswith("### ✅")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem if path.stem != "action" else path.parent.name)
def test_every_action_is_pinned_by_its_commit_and_no_input_is_pasted_into_a_script(path):
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    for name, note in used:
        assert name.startswith("./") or (re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) and "# v" in note)
    document = yaml.safe_load(path.read_text())
    jobs = document.get("jobs", {"runs": document.get("runs")}).values()
    assert not any("${{" in step.get("run", "") for each in jobs for step in each["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_permissions_are_given_job_by_job_and_strangers_code_gets_none_to_write(path):
    document = yaml.safe_load(path.read_text())
    assert document["permissions"] == {}
    events = document[True]  # YAML 1.1 takes the key `on` for a boolean
    for each in document["jobs"].values():
        assert each["timeout-minutes"] <= 90
        wanted = {name for name, access in each["permissions"].items() if access == "write"}
        measures = any("actions/gate" in step.get("uses", "") for step in each["steps"])
        assert not wanted or (not measures and "pull_request" not in events)


def test_every_input_that_a_workflow_gives_is_one_that_the_action_takes():
    for path in WORKFLOWS:
        for each in yaml.safe_load(path.read_text())["jobs"].values():
            for step in each["steps"]:
                if step.get("uses", "").startswith("./"):
                    taken = yaml.safe_load((GITHUB.parent / step["uses"] / "action.yml").read_text())["inputs"]
                    assert set(step.get("with", {})) <= set(taken)


def test_a_strangers_repository_needs_ten_lines():
    pages = (GITHUB.parent / "README.md").read_text() + (GITHUB.parent / "reports" / "ci.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", pages, flags=re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        assert block.count("\n") <= 10
        (each,) = yaml.safe_load(block)["jobs"].values()
        ours = each["steps"][-1]
        name = re.fullmatch(r"OWNER/upbench/\.github/actions/(\w+)@COMMIT", ours["uses"])[1]
        taken = yaml.safe_load((GITHUB / "actions" / name / "action.yml").read_text())["inputs"]
        assert set(ours.get("with", {})) <= set(taken)


def test_the_nightly_workflow_asks_the_index_which_torch_is_newest(tmp_path):
    """A package index of two nights on the loopback address, asked by the workflow's own step."""
    index = tmp_path / "index" / "torch"
    index.mkdir(parents=True)
    for day in (19, 20):
        name = f"torch-2.16.0.dev202611{day}+cpu"
        metadata = {"METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {name.partition('-')[2]}\n"}
        metadata |= {"WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n", "RECORD": ""}
        with zipfile.ZipFile(index / f"{name}-py3-none-any.whl", "w") as wheel:
            for file, text in metadata.items():
                wheel.writestr(f"{name}.dist-info/{file}", text)
    serve = partial(SimpleHTTPRequestHandler, directory=index.parent)
    document = yaml.safe_load((GITHUB / "workflows" / "nightly.yml").read_text())
    (step,) = [each for each in document["jobs"]["measure"]["steps"] if each.get("id") == "night"]
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        ran = Job(tmp_path / "job", {})
        ran.variables |= {"PIP_CONFIG_FILE": os.devnull}  # a runner has none of this machine's settings
        ran.variables["INDEX"] = f"http://127.0.0.1:{server.server_address[1]}"
        code = ran.execute(step, tmp_path)
        server.shutdown()
    assert code == 0, ran.log
    assert ran.steps["night"] == {"version": "2.16.0.dev20261120"}
