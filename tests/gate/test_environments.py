import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from upbench.bench.errors import UsageError
from upbench.bench.gate.sides import environments
from upbench.bench.gate.sides.environments import READY, environment, find_python, probe
from upbench.bench.gate.sides.requirements import common_python, recipe

UV = '''#!{python}
import json, os, sys
from pathlib import Path

arguments = sys.argv[1:]
with Path({log!r}).open("a") as log:
    log.write(json.dumps(arguments) + "\\n")
if arguments[0] == "venv":
    folder = Path(arguments[-1]) / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "python"
    script.write_text("""#!/bin/sh\\necho '{found}'\\n""")
    script.chmod(0o755)
elif "torchvision" in arguments and {no_vision}:
    sys.exit("no torchvision goes with that torch")
elif any("9.9.9" in argument for argument in arguments):
    sys.exit("there is no version of torch==9.9.9")
'''
FOUND = {"torch": "2.13.0+cpu", "torchvision": "0.28.0", "torchvision_reason": "", "python": "3.11"}


@pytest.fixture
def fake_uv(tmp_path):
    def make(no_vision: bool = False) -> tuple[str, Path]:
        log, script = tmp_path / "log", tmp_path / "uv"
        text = UV.format(python=sys.executable, log=str(log), found=json.dumps(FOUND), no_vision=no_vision)
        script.write_text(text)
        script.chmod(0o755)
        return str(script), log

    return make


def calls(log: Path) -> list[list[str]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_release_is_made_once_and_used_again(fake_uv, tmp_path):
    uv, log = fake_uv()
    first = environment("2.13.0", tmp_path / "cache", uv)
    assert first.python == tmp_path / "cache" / "torch-2.13.0" / "bin" / "python"
    assert (first.label, first.torch, first.torchvision) == ("2.13.0", "2.13.0+cpu", "0.28.0")
    made = len(calls(log))
    assert environment("2.13.0", tmp_path / "cache", uv) == first
    assert len(calls(log)) == made


def test_torch_and_torchvision_are_resolved_together(fake_uv, tmp_path):
    uv, log = fake_uv()
    environment("2.13.0", tmp_path / "cache", uv)
    venv, install = calls(log)
    assert venv[0] == "venv"
    assert install[-3:] == ["torch==2.13.0", "numpy", "torchvision"]


def test_without_a_matching_torchvision_torch_is_installed_alone(fake_uv, tmp_path):
    uv, log = fake_uv(no_vision=True)
    environment("2.13.0", tmp_path / "cache", uv)
    assert calls(log)[-1][-2:] == ["torch==2.13.0", "numpy"]


def test_an_interrupted_environment_is_made_anew(fake_uv, tmp_path):
    uv, log = fake_uv()
    environment("2.13.0", tmp_path / "cache", uv)
    (tmp_path / "cache" / "torch-2.13.0" / READY).unlink()
    environment("2.13.0", tmp_path / "cache", uv)
    assert sum(call[0] == "venv" for call in calls(log)) == 2


def test_a_version_that_does_not_exist_is_one_sentence(fake_uv, tmp_path):
    uv, _ = fake_uv()
    with pytest.raises(UsageError, match=r"No environment for 9\.9\.9 could be made: there is no version"):
        environment("9.9.9", tmp_path / "cache", uv)


def test_without_uv_it_says_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="pip install uv"):
        environment("2.13.0", tmp_path, uv="no-such-uv")


def test_a_path_is_a_python_or_a_virtual_environment(tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert find_python(str(tmp_path / "venv")) == python
    assert find_python(str(python)) == python
    assert find_python("2.13.0") is None
    with pytest.raises(UsageError, match="without bin/python"):
        find_python(str(tmp_path))
    with pytest.raises(UsageError, match="neither a release"):
        find_python("latest")


def test_this_python_is_probed_with_its_torch():
    import torch

    assert probe(Path(sys.executable))["torch"] == torch.__version__


def test_a_python_without_torch_is_refused(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'No module named torch' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(UsageError, match="cannot import torch and numpy: No module named torch"):
        probe(broken)


def test_a_torchvision_that_cannot_be_imported_is_a_reason(tmp_path, monkeypatch):
    for name, text in {"torch": "__version__ = '9'", "numpy": "", "torchvision": "raise ImportError('no ABI')"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = environments.environment(sys.executable, tmp_path)
    assert (found.torch, found.torchvision, found.torchvision_reason) == ("9", None, "no ABI")


def test_a_set_of_requirements_of_any_package_has_the_torch_that_runs_here(fake_uv, tmp_path):
    uv, log = fake_uv()
    found = environment("opencv-python-headless==4.12.0.88", tmp_path / "cache", uv)
    running = version("torch").partition("+")[0]
    assert calls(log)[-1][-3:] == ["opencv-python-headless==4.12.0.88", f"torch=={running}", "numpy"]
    assert found.label == "opencv-python-headless==4.12.0.88"
    environment("torch==2.14.0 triton==3.5.1", tmp_path / "cache", uv)
    assert calls(log)[-1][-3:] == ["torch==2.14.0", "triton==3.5.1", "numpy"]


def test_an_old_torch_has_a_numpy_and_a_python_that_it_can_live_with(fake_uv, tmp_path):
    uv, log = fake_uv()
    environments.environments(["2.0.1", "2.15.0"], tmp_path / "cache", uv=uv)
    made = calls(log)
    assert [call[call.index("--python") + 1] for call in made if call[0] == "venv"] == [common_python(["2.0.1"])] * 2
    assert ["numpy<2" in call for call in made if call[0] == "pip"] == [True, False]


def test_the_interpreter_can_be_chosen(fake_uv, tmp_path):
    uv, log = fake_uv()
    environments.environments(["2.13.0"], tmp_path / "cache", python="3.10", uv=uv)
    assert calls(log)[0][3:5] == ["--python", "3.10"]


def test_a_nightly_comes_from_the_index_that_is_given(fake_uv, tmp_path):
    uv, log = fake_uv()
    with pytest.raises(UsageError, match="is a nightly: give the index"):
        environment("2.16.0.dev20261120", tmp_path / "cache", uv)
    environment("2.16.0.dev20261120", tmp_path / "cache", uv, index="https://example.org/nightly")
    install = calls(log)[-1]
    assert install[install.index("--index") + 1] == "https://example.org/nightly"
    assert "torch==2.16.0.dev20261120" in install


def test_each_recipe_has_a_folder_of_its_own():
    recipes = [
        recipe("2.13.0", python="3.11"),
        recipe("2.13.0", python="3.10"),
        recipe("torch==2.13.0 triton==3.5.1", python="3.11"),
        recipe("2.13.0", python="3.11", index="https://example.org"),
    ]
    assert len({each.folder for each in recipes}) == len(recipes)


def test_a_torch_before_2_0_is_refused():
    with pytest.raises(UsageError, match=r"1\.13\.1 is too old"):
        recipe("1.13.1")


def test_what_else_differs_between_two_environments_is_told():
    common = {"label": "x", "python": Path("p"), "torch": "2", "torchvision": None, "torchvision_reason": ""}
    one = environments.Environment(**common, packages={"numpy": "1.26.4", "torch": "2", "triton": "3"})
    other = environments.Environment(**common, packages={"numpy": "2.1.0", "torch": "2"})
    assert environments.differing(one, other) == {"numpy": ["1.26.4", "2.1.0"], "triton": ["3", None]}
