"""What cannot be done is told in one sentence on standard error, with exit code 2 and no traceback."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

WITHOUT_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
QUALITY = ["quality", "--dataset", "photos", "--limit", "2", "--methods", "nearest"]
SPEED = ["speed", "--methods", "nearest", "--workloads", "single"]
PICTURE = ["upsample", "{in}", "{tmp}/out.png", "--method", "bicubic"]

WRONG = [
    ([], "required: COMMAND"),
    (["qualty"], "invalid choice: 'qualty'"),
    (["quality", "--method-s", "nearest"], "--method-s"),
    (["list", "--methods", "bilinaer"], "There is no method 'bilinaer'; did you mean .*bilinear"),
    (["quality", "--methods", "bicubik"], "There is no method 'bicubik'; did you mean .*bicubic"),
    (["speed", "--methods", "neerest"], "There is no method 'neerest'; did you mean .*nearest"),
    (["bench", "--methods", "pixelshuffle"], "There is no method 'pixelshuffle'; did you mean .*pixel-shuffle"),
    ([*QUALITY, "--method", "absent.py:factory"], r"There is no file absent\.py"),
    ([*QUALITY, "--method", "absent"], "write it as FILE.py:FACTORY or MODULE:FACTORY"),
    ([*QUALITY, "--method", "json:absent"], "json has no factory named 'absent'"),
    (
        [*QUALITY, "--method", "{broken}:factory"],
        "cannot be imported: .*invalid syntax|cannot be imported: .*never closed",
    ),
    ([*QUALITY, "--methods", "pixel-shuffle@size"], "pixel-shuffle has one form only"),
    ([*QUALITY, "--device", "tpu"], "There is no device 'tpu'; choose cpu, cuda or cuda:N"),
    ([*QUALITY, "--device", "meta"], "not on meta"),
    ([*QUALITY, "--device", "cuda:99"], "no 'cuda:99'; run with --device cpu"),
    pytest.param([*QUALITY, "--device", "cuda"], "sees no CUDA device", marks=WITHOUT_CUDA),
    pytest.param([*SPEED, "--device", "cuda"], "sees no CUDA device", marks=WITHOUT_CUDA),
    pytest.param([*PICTURE, "--device", "cuda"], "sees no CUDA device", marks=WITHOUT_CUDA),
    *[
        ([*command, flag, value], f"'{value}' is no whole number of at least 1")
        for command, flag in ((QUALITY, "--scales"), (SPEED, "--scales"), (PICTURE, "--scale"), (QUALITY, "--limit"))
        for value in ("0", "-1", "abc", "2.5", "")
    ],
    ([*SPEED, "--threads", "0"], "'0' is no whole number"),
    ([*SPEED, "--workloads", "imag"], "There is no workload 'imag'; choose from cifar, image, feature, single"),
    ([*SPEED, "--workloads", "1x3x16"], "There is no workload '1x3x16'"),
    ([*SPEED, "--seconds", "0"], "--seconds takes a time above 0 and up to 60"),
    ([*SPEED, "--seconds", "-1"], "--seconds takes a time above 0 and up to 60"),
    ([*SPEED, "--seconds", "nan"], "--seconds takes a time above 0 and up to 60"),
    ([*SPEED, "--seconds", "1e9"], "--seconds takes a time above 0 and up to 60"),
    ([*SPEED, "--seconds", "soon"], "invalid float value: 'soon'"),
    ([*SPEED, "--dtypes", "float8"], "invalid choice: 'float8'"),
    ([*SPEED, "--memory-formats", "upside_down"], "invalid choice: 'upside_down'"),
    ([*SPEED, "--pass", "backwards"], "invalid choice: 'backwards'"),
    ([*QUALITY, "--degradations", "bicubik"], "There is no degradation 'bicubik'; choose from bicubic, area"),
    ([*QUALITY, "--split", "validation"], "invalid choice: 'validation'"),
    ([*QUALITY, "--split", "train"], "test split only"),
    (["quality", "--dataset", "cifar11"], "There is no dataset 'cifar11'; choose auto, cifar10, photos or folder:DIR"),
    (["quality", "--dataset", "folder:{tmp}/absent"], "There is no folder .*absent"),
    (["quality", "--dataset", "folder:{tmp}/empty"], "holds no images"),
    (["quality", "--dataset", "folder:{tmp}/text"], r"words\.png cannot be read as an image"),
    (["quality", "--data", "{tmp}/absent"], "There is no folder .*absent"),
    (["quality", "--data", "{tmp}/empty"], "holds no CIFAR-10 test split"),
    (["quality", "--dataset", "cifar10", "--data", "{tmp}/damaged"], r"test_batch\.bin is damaged or truncated"),
    (["quality", "--data", "{tmp}/damaged"], r"test_batch\.bin is damaged or truncated"),
    ([*QUALITY, "--out", "{tmp}/file/out"], "Not a directory|File exists"),
    ([*SPEED, "--out", "{tmp}/file/out"], "Not a directory|File exists"),
    (["report", "{tmp}/absent"], r"holds no quality\.csv and no speed\.json; run `upbench bench` first"),
    (["report", "{tmp}/empty"], r"holds no quality\.csv and no speed\.json"),
    (["report", "{tmp}/broken-report"], r"speed\.json is damaged"),
    (["upsample", "{tmp}/absent.png", "{tmp}/out.png", "--method", "bicubic"], r"There is no file .*absent\.png"),
    (["upsample", "{tmp}/text/words.png", "{tmp}/out.png", "--method", "bicubic"], "cannot be read as an image"),
    (["upsample", "{tmp}", "{tmp}/out.png", "--method", "bicubic"], "cannot be read as an image"),
    (["upsample", "{in}", "{tmp}/out.xyz", "--method", "bicubic"], r"give the output a name that ends in \.png"),
    (["upsample", "{in}", "{tmp}/out", "--method", "bicubic"], r"give the output a name that ends in \.png"),
    (["upsample", "{in}", "{tmp}/out.png"], "required: --method"),
    (["upsample", "{in}", "{tmp}/out.png", "--method", "bicubik"], "did you mean .*bicubic"),
    (["upsample", "{in}", "{tmp}/file/out.png", "--method", "bicubic"], "Not a directory|File exists"),
    (["panel", "{tmp}/absent.png", "{tmp}/out.png"], r"There is no file .*absent\.png"),
    (["panel", "{in}", "{tmp}/out.png", "--methods", "bicubik"], "did you mean .*bicubic"),
]


@pytest.fixture
def places(tmp_path: Path, picture_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Wrong places to name, and what stands for them in the table above."""
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "text", "damaged/cifar-10-batches-bin", "broken-report"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "file").write_text("a file")
    (tmp_path / "text" / "words.png").write_text("words")
    (tmp_path / "damaged" / "cifar-10-batches-bin" / "test_batch.bin").write_bytes(bytes(5000))
    (tmp_path / "broken-report" / "speed.json").write_text("{")
    (tmp_path / "broken.py").write_text("def factory(:\n")
    values = {"in": picture_file(), "tmp": tmp_path, "broken": tmp_path / "broken.py"}
    return lambda text: text.format(**values)


@pytest.mark.parametrize("arguments, said", WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_cannot_be_done_is_told_in_one_sentence(
    upbench: Callable, places: Callable[[str], str], arguments: list[str], said: str
) -> None:
    outcome = upbench(*map(places, arguments))
    assert outcome.code == 2
    assert outcome.err.startswith("upbench: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert re.search(said, outcome.err), outcome.err


def test_a_wrong_name_is_told_before_anything_is_measured(upbench: Callable, tmp_path: Path) -> None:
    options = ["--dataset", "photos", "--limit", "2", "--methods", "nearest", "--out", tmp_path / "out"]
    assert upbench("bench", *options, "--workloads", "imag").code == 2
    assert not (tmp_path / "out").exists()


def test_a_process_ends_with_the_same_code_and_sentence(process: Callable) -> None:
    done = process("quality", "--methods", "bilinaer")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("upbench: There is no method 'bilinaer'; did you mean ")
    assert done.stderr.count("\n") == 1
