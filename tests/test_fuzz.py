"""Whatever bytes or words come in, what comes out is a result or one sentence: no traceback, no hang.

The short form draws a few hundred inputs. The long form draws as many as `UPBENCH_FUZZ` says, new ones each time:
`UPBENCH_FUZZ=100000 pytest -s tests/test_fuzz.py`.
"""

import argparse
import io
import json
import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from upbench.bench import store
from upbench.bench.cli import options
from upbench.bench.cli.main import main, parser
from upbench.bench.errors import UsageError
from upbench.bench.jobs import gpu as jobs_gpu
from upbench.bench.jobs import main as jobs_main
from upbench.bench.stage import Ending
from upbench.bench.workers import tried
from upbench.datasets import cifar10, pictures
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.errors import DataError
from upbench.reports import frame

INPUTS = int(os.environ.get("UPBENCH_FUZZ", "0"))
SECONDS = 20  # the longest that one input may take
FIXTURES = Path(__file__).parent / "fixtures" / "format-1"

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow and pandas warn of some damage before they refuse it

Seeds = dict[str, bytes]


def share(percent: int) -> Callable[[Any], Any]:
    """So many of the inputs that were asked for; in the short form of 500."""
    return settings(
        max_examples=max(1, (INPUTS or 500) * percent // 100),
        derandomize=not INPUTS,
        database=None,
        suppress_health_check=[*HealthCheck],
    )


class HangError(BaseException):
    """Not an `Exception`: nothing may take it for damage."""


@contextmanager
def in_time() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise HangError

    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, stop)
        signal.alarm(SECONDS)
    try:
        yield
    finally:
        if hasattr(signal, "SIGALRM"):
            signal.alarm(0)


@contextmanager
def one_sentence(*kinds: type[Exception]) -> Iterator[None]:
    """Let errors of these kinds pass that say one line; all others fail."""
    with in_time():
        try:
            yield
        except kinds as error:
            assert str(error).strip()
            assert "\n" not in str(error)


WHERE = st.floats(0, 1)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), WHERE, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("insert"), WHERE, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("cut"), WHERE, WHERE),
        st.tuples(st.just("flip"), WHERE, st.integers(0, 7)),
    ),
    min_size=1,
    max_size=6,
)


def damaged(whole: bytes, edits: list[tuple[str, float, Any]]) -> bytes:
    """The bytes after each edit: some replaced, some inserted, some taken out, a bit flipped."""
    data = bytearray(whole)
    for kind, where, what in edits:
        place = int(where * len(data))
        if kind == "set":
            data[place : place + len(what)] = what
        elif kind == "insert":
            data[place:place] = what
        elif kind == "cut":
            del data[place : place + 1 + int(what * len(data))]
        elif place < len(data):
            data[place] ^= 1 << what
    return bytes(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def cifar_files() -> Seeds:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3072), dtype=np.uint8)
    document = {b"data": pixels, b"labels": [1, 2], b"filenames": [b"a.png", b"b.png"]}
    records = b"".join(b"\x05" + row.tobytes() for row in pixels)
    return {"binary": records} | {f"pickle {p}": pickle.dumps(document, protocol=p) for p in (0, 2, 3, 4, 5)}


@share(30)
@given(data=st.data(), edits=EDITS)
def test_a_damaged_cifar_file_gives_images_or_one_sentence(
    folder: Path, cifar_files: Seeds, data: st.DataObject, edits: list[Any]
) -> None:
    seed = data.draw(st.sampled_from(sorted(cifar_files)))
    path = folder / ("test_batch.bin" if seed == "binary" else "test_batch")
    for name in ("test_batch", "test_batch.bin"):
        (folder / name).unlink(missing_ok=True)
    path.write_bytes(damaged(cifar_files[seed], edits))
    with one_sentence(DataError):
        images, description = cifar10.load(folder, "test")
        assert images.dtype == torch.uint8
        assert images.shape[1:] == (3, 32, 32)
        assert "\n" not in description


@pytest.fixture(scope="module")
def picture_files() -> Seeds:
    levels = np.random.default_rng(0).integers(0, 256, (6, 8, 4), dtype=np.uint8)
    image, exif = Image.fromarray(levels), Image.Exif()
    exif[0x0112] = 6
    rgb = image.convert("RGB")
    kinds: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("a.png", image, {}),
        ("b.png", rgb.convert("P"), {"transparency": 3}),
        ("c.png", Image.fromarray(levels[..., 0].astype(np.uint16) * 257), {}),
        ("a.jpg", rgb, {"exif": exif}),
        ("b.jpg", rgb.convert("CMYK"), {}),
        ("a.gif", rgb, {"save_all": True, "append_images": [image.convert("RGB").rotate(180)]}),
        ("a.webp", image, {}),
        ("a.tif", image, {"compression": "tiff_lzw"}),
        ("b.tif", rgb, {"exif": exif}),
        ("a.bmp", rgb, {}),
        ("a.ppm", rgb, {}),
    ]
    files = {}
    for name, picture, how in kinds:
        made = io.BytesIO()
        suffix = Path(name).suffix
        picture.save(made, format=Image.registered_extensions()[suffix], **how)
        files[name] = made.getvalue()
    return files


@share(30)
@given(data=st.data(), edits=EDITS)
def test_a_damaged_picture_gives_pixels_or_one_sentence(
    folder: Path, picture_files: Seeds, data: st.DataObject, edits: list[Any]
) -> None:
    name = data.draw(st.sampled_from(sorted(picture_files)))
    path = folder / f"picture{Path(name).suffix}"
    path.write_bytes(damaged(picture_files[name], edits))
    with one_sentence(DataError):
        pixels = pictures.read_rgb(path)
        assert pixels.dtype == torch.uint8
        assert pixels.ndim == 3
        assert pixels.shape[0] == 3


@pytest.fixture(scope="module")
def array_files(folder: Path) -> Seeds:
    files = {}
    for name, dtype in (("bytes", np.uint8), ("halves", np.float16)):
        np.save(folder / "seed.npy", np.zeros((2, 3, 5, 4), dtype))
        files[name] = (folder / "seed.npy").read_bytes()
    return files


@share(10)
@given(data=st.data(), edits=EDITS)
def test_a_damaged_array_gives_images_or_one_sentence(
    folder: Path, array_files: Seeds, data: st.DataObject, edits: list[Any]
) -> None:
    path = folder / "fuzzed.npy"
    path.unlink(missing_ok=True)
    path.write_bytes(damaged(array_files[data.draw(st.sampled_from(sorted(array_files)))], edits))
    with one_sentence(DataError):
        for batch in open_dataset(f"array:{path}", limit=1000).batches():
            assert batch.images.shape[1] == 3


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def replaced(document: Any, path: list[float], value: Any) -> Any:
    """The document with another value somewhere: each number leads one level down."""
    if not path or not isinstance(document, (dict, list)) or not document:
        return value
    keys = list(document) if isinstance(document, dict) else range(len(document))
    key = keys[min(int(path[0] * len(keys)), len(keys) - 1)]
    changed = document.copy()
    changed[key] = replaced(document[key], path[1:], value)
    return changed


FILES = sorted(path.name for path in FIXTURES.iterdir() if path.suffix != ".journal")
DOCUMENTS = [name for name in FILES if name.endswith(".json")]


@pytest.fixture(scope="module")
def run_folder(folder: Path) -> Path:
    shutil.copytree(FIXTURES, folder / "run")
    return folder / "run"


@contextmanager
def written(path: Path, content: bytes) -> Iterator[None]:
    whole = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(whole)


@share(5)
@given(name=st.sampled_from(FILES), edits=EDITS)
def test_a_damaged_result_file_gives_a_run_or_one_sentence(run_folder: Path, name: str, edits: list[Any]) -> None:
    path = run_folder / name
    with written(path, damaged(path.read_bytes(), edits)), one_sentence(frame.ReportError):
        frame.read(run_folder)


@share(5)
@given(name=st.sampled_from(DOCUMENTS), path=st.lists(WHERE, max_size=6), value=JSON)
def test_a_document_of_another_shape_gives_a_run_or_one_sentence(
    run_folder: Path, name: str, path: list[float], value: Any
) -> None:
    document = replaced(json.loads((FIXTURES / name).read_text()), path, value)
    with written(run_folder / name, json.dumps(document).encode()), one_sentence(frame.ReportError):
        frame.read(run_folder)


@share(10)
@given(edits=EDITS)
def test_a_damaged_journal_is_read_as_far_as_it_is_whole(folder: Path, edits: list[Any]) -> None:
    whole = (FIXTURES / "quality.journal").read_bytes()
    path = folder / "fuzzed.journal"
    path.write_bytes(damaged(whole, edits))
    keys = {"nearest": "k1", "bicubic": "k2"}
    with one_sentence(UsageError):
        journal = store.Journal(path, {}, keys=keys, name="method")
        journal.append({"method": "bicubic"})
        assert store.Journal(path, {}, keys=keys, name="method").rows == journal.rows
    path.write_bytes(damaged(whole, edits))
    with one_sentence(UsageError):
        store.read_json(path)


READERS = ("ReportRequest", "AdviseRequest")  # these commands measure nothing, and run to their end


@pytest.fixture
def no_measuring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands end well as soon as their request is made: whether it can be measured is for each stage's tests."""
    build = options.request

    def request(kind: type[Any], arguments: argparse.Namespace, **others: Any) -> Any:
        made = build(kind, arguments, **others)
        if kind.__name__ not in READERS:
            raise SystemExit(Ending.OK)
        return made

    def job(*_: object) -> None:
        raise SystemExit(Ending.OK)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jobs_main, "run", job)  # their requests are made of several
    monkeypatch.setattr(jobs_gpu, "run", job)
    monkeypatch.setattr(options, "request", request)
    monkeypatch.setattr(tried, "tried", lambda adapters: [{} for _ in adapters])


def commands() -> dict[str, argparse.ArgumentParser]:
    (choice,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(choice.choices)


COMMANDS = commands()
WORDS = st.one_of(
    st.sampled_from(
        (
            *("", " ", ".", "..", "/", "-", "--", "0", "-1", "1", "2", "4", "1.5", "nan", "inf", "-inf", "1e309"),
            *("cpu", "cuda", "cuda:99", "mps", "nearest", "bicubic", "FILE.py:F", ":", "a:b:c", "json:loads"),
            *("1x3x8x8", "0x0x0x0", "1x3x999999999x8", "folder:", "folder:.", "array:", "array:a.npy", "photos"),
            *("5%", "1000%", "30s", "-3s", "1h", "None", "True", "{}", "[1]", "%s", "\udcff", "\U0001f600", "a\nb"),
            *("test", "train", "9" * 5000),
        )
    ),
    st.text(st.characters(exclude_characters="\0"), max_size=6),
)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    name = draw(st.sampled_from(sorted(COMMANDS)))
    actions = [action for action in COMMANDS[name]._actions if action.dest != "help"]
    line = [name]
    for action in draw(st.lists(st.sampled_from(actions), max_size=6)) if actions else []:
        line += action.option_strings[:1]
        words = (
            st.one_of(WORDS, st.sampled_from([str(choice) for choice in action.choices])) if action.choices else WORDS
        )
        line += draw(st.lists(words, max_size=1 if action.nargs is None else 3))
    return draw(st.sampled_from([line, line[1:], [*line, "--nonsense"]])) if draw(st.integers(0, 9)) == 0 else line


@share(10)
@given(line=command_lines())
@pytest.mark.usefixtures("no_measuring")
def test_any_command_line_ends_with_a_code_and_without_a_traceback(line: list[str]) -> None:
    out, err = io.StringIO(), io.StringIO()
    with in_time(), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(line)
        except SystemExit as ended:  # of argparse, or of the fixture
            code = int(ended.code or 0)
    assert code in set(Ending)
    assert "Traceback" not in err.getvalue()
    assert (code == Ending.USAGE) == bool(err.getvalue().strip())
