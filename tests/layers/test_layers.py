"""`upbench layers`: small trainings, strangers' layers that go wrong, and what comes of a second start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from upbench.bench import api
from upbench.bench.errors import UsageError
from upbench.bench.layers import stage, statistics
from upbench.bench.layers.request import LayersRequest
from upbench.bench.memory import peak_bytes
from upbench.bench.stage import Ending, Silent
from upbench.reports import layers as layers_page

SMALL: dict[str, Any] = {
    "dataset": "photos",
    "steps": 3,
    "width": 4,
    "batch": 2,
    "seeds": 1,
    "sensitivity_seeds": 1,
    "fairness": ("drop-in",),
    "initialisations": ("equal",),
    "rates": (2e-3,),
    "jobs": 1,
}
TIMES = ("train_ms", "infer_ms", "infer_ratio")


def measured(out: Path, **asked: Any) -> pd.DataFrame:
    stage.run(LayersRequest(**(SMALL | asked)), out, Silent())
    return pd.read_csv(out / "layers.csv")


@pytest.fixture
def stranger(tmp_path: Path) -> Callable[[str, str], str]:
    """A file with a layer of one's own: `stranger("mine", body of the factory)`."""

    def write(name: str, body: str) -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(f"import os\nimport time\nfrom torch import nn\n\ndef {name}(channels, scale):\n    {body}\n")
        return f"{path}:{name}"

    return write


FIVE_LINES = "return nn.Sequential(nn.Upsample(scale_factor=scale), nn.Conv2d(channels, channels, 1))"


def test_a_seed_gives_the_same_figures_to_the_last_digit(tmp_path: Path) -> None:
    layers = ("transposed-k3", "dysample+conv3")
    one, two = (measured(tmp_path / name, layers=layers) for name in "ab")
    pd.testing.assert_frame_equal(one.drop(columns=list(TIMES)), two.drop(columns=list(TIMES)), check_exact=True)
    curves = [(tmp_path / name / "layers-curves.csv").read_text() for name in "ab"]
    assert curves[0] == curves[1] and len(curves[0].splitlines()) > 8


def test_a_trained_layer_is_folded_and_its_memory_measured(tmp_path: Path) -> None:
    table = measured(tmp_path, layers=("nearest+conv3", "transposed-k2")).set_index("layer")
    trained = table.loc["nearest+conv3"]
    assert (trained["folded_difference"] < 1e-5).all()
    assert (trained[["folded_layer_time", "folded_time"]].to_numpy() > 0).all()
    assert table.loc["transposed-k2", "folded_time"].isna().all()
    assert (table["step_peak_bytes"] > table["held_bytes"]).all()
    assert (table["infer_peak_bytes"] < table["step_peak_bytes"]).all()
    told = layers_page.words(table.reset_index(), statistics.summary(table.reset_index()))[-1]
    assert "over 2 trained networks, the outputs differ by at most" in told


def test_a_peak_is_what_is_held_at_a_time() -> None:
    def act() -> None:
        for _ in range(3):
            torch.zeros(1000)
        kept = torch.zeros(2000)
        torch.zeros(500)
        del kept

    assert peak_bytes(act, torch.device("cpu")) == 4 * 2500


def test_a_strangers_layer_joins_and_others_that_go_wrong_are_rows(
    tmp_path: Path, stranger: Callable[[str, str], str]
) -> None:
    table = measured(
        tmp_path / "out",
        layers=("nearest+conv3",),
        layer=(
            stranger("mine", FIVE_LINES),
            stranger("small", "return nn.Identity()"),
            stranger("wild", "return nn.Sequential(nn.Upsample(scale_factor=2), nn.Softplus(beta=float('nan')))"),
            stranger("dying", "os._exit(9)"),
            stranger("number", "return 3"),
            stranger("declining", "raise NotImplementedError('only on Sundays')"),
        ),
        tasks=("super-resolution",),
    ).set_index("layer")
    assert table["status"].to_dict() == {
        "nearest+conv3": "ok",
        "mine": "ok",
        "small": "failed",
        "wild": "failed",
        "dying": "failed",
        "number": "failed",
        "declining": "skipped",
    }
    assert table["psnr_db"].notna().sum() == 2
    reasons = table["reason"]
    assert "(2, 4, 5, 7) instead of (2, 4, 10, 14)" in reasons["small"]
    assert "NaN" in reasons["wild"] and "crashed" in reasons["dying"] and "nn.Module" in reasons["number"]
    assert reasons["declining"] == "only on Sundays"


def test_a_layer_that_hangs_is_given_up_after_the_time_limit(
    tmp_path: Path, stranger: Callable[[str, str], str]
) -> None:
    table = measured(
        tmp_path / "out", layer=(stranger("slow", "time.sleep(600)"),), tasks=("autoencoder",), time_limit=3
    )
    assert table["status"].tolist() == ["failed"] and "hung" in table["reason"][0]


def test_a_run_that_the_budget_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    asked = {"layers": ("transposed-k2", "pixel-shuffle"), "tasks": ("super-resolution",)}
    first = measured(tmp_path, **asked, budget=0.0)
    assert set(first["status"]) == {"skipped"} and (tmp_path / "layers.journal").is_file()
    measured(tmp_path, **(asked | {"layers": ("transposed-k2",)}), budget=0.0)
    assert measured(tmp_path, **asked)["status"].tolist() == ["ok", "ok"]
    assert not (tmp_path / "layers.journal").exists()


def test_costs_are_matched_within_two_percent_and_the_layer_stays_what_it_is(tmp_path: Path) -> None:
    table = measured(
        tmp_path,
        layers=("nearest+conv3", "transposed-k2", "pixel-shuffle"),
        tasks=("autoencoder",),
        fairness=("drop-in", "matched-macs", "matched-parameters"),
        width=16,
        steps=1,
    ).set_index(["layer", "fairness"])
    reference = table.loc["nearest+conv3", "drop-in"]
    assert table.loc[("transposed-k2", "matched-macs"), "macs"] == pytest.approx(reference["macs"], rel=0.02)
    matched = table.loc[("transposed-k2", "matched-parameters")]
    assert matched["parameters"] == pytest.approx(reference["parameters"], rel=0.02)
    assert matched["layer_parameters"] == table.loc[("transposed-k2", "drop-in"), "layer_parameters"]
    same = table.loc["pixel-shuffle"]
    assert same.loc["matched-macs", "psnr_db"] == same.loc["drop-in", "psnr_db"]
    assert "cannot be matched" in same.loc["matched-parameters", "reason"]


def test_a_rate_that_kills_the_network_is_named_a_collapse_and_enters_no_mean(tmp_path: Path) -> None:
    table = measured(tmp_path, layers=("transposed-k2",), tasks=("autoencoder",), rates=(1e6,), steps=12)
    assert isinstance(table["collapsed"][0], str)
    summary = pd.read_csv(tmp_path / "layers-summary.csv")
    assert summary["collapsed"].tolist() == [1] and summary["psnr_db"].isna().all()


def test_the_command_trains_and_says_how_it_ended(upbench: Callable[..., Any], tmp_path: Path) -> None:
    arguments = "layers --layers transposed-k2 --tasks autoencoder --dataset photos --steps 2 --width 4 --seeds 1"
    arguments += " --fairness drop-in --initialisations equal --rates 0.002 --jobs 1"
    outcome = upbench(*arguments.split(), "--out", tmp_path)
    assert outcome.code == Ending.OK and "layers: 1 measured, 0 skipped, 0 failed." in outcome.out


def test_from_python_it_is_a_function_that_returns_the_rows() -> None:
    found = api.layers(**(SMALL | {"steps": 1}), layers=["transposed-k2"], tasks="autoencoder", progress=False)
    assert found["status"].tolist() == ["ok"] and found["psnr_db"][0] > 5


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"layers": ("transposed-k5",)}, "did you mean"),
        ({"layer": ("nowhere.py:mine",)}, "There is no file nowhere.py"),
        ({"layer": ("mine:",)}, "write it as FILE.py:FACTORY"),
        ({"dataset": "folder:x"}, "to train on"),
        ({"seeds": 0}, "seeds"),
        ({"rates": ()}, "at least one"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LayersRequest(**wrong)
