"""A request is plain data: checked when it is made, to JSON and back unchanged, the same from every side."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upbench.bench.cells import DTYPES, WORKLOADS
from upbench.bench.diagnosis.request import DiagnosisRequest
from upbench.bench.errors import UsageError
from upbench.bench.gate.releases.request import BisectRequest
from upbench.bench.gate.request import DuetRequest
from upbench.bench.jobs.picture_request import PanelRequest, UpsampleRequest
from upbench.bench.jobs.request import BenchRequest, GpuRequest
from upbench.bench.quality.request import QualityRequest
from upbench.bench.requests import Request
from upbench.bench.selfcheck.request import SelfcheckRequest
from upbench.bench.speed.request import SpeedRequest
from upbench.bench.training.request import TrainRequest
from upbench.reports.request import AdviseRequest, ReportRequest

EXAMPLES = [
    QualityRequest(methods=["bicubic"], scales=[2, 4], data="some/folder", limit=3),
    DiagnosisRequest(),
    SpeedRequest(sweep=[], threads=[1, 2], seconds=1),
    SelfcheckRequest(device="cuda:1"),
    DuetRequest(baseline="2.14.0", candidate="2.15.0", plant="bicubic=1.05"),
    BisectRequest(cell="bicubic/x2/image", good="2.11.0", bad="2.15.0"),
    TrainRequest(steps=[3, 3]),
    UpsampleRequest(input="in.png", output="out.png", method="bicubic"),
    PanelRequest(input="in.png", output="out.png"),
    BenchRequest.of(methods=["bicubic"], torch=["2.15.0", "2.15.0"], workloads=["image"], seconds=0.5),
    GpuRequest(minutes=3),
    ReportRequest(),
    AdviseRequest(min_psnr=26),
]


@pytest.mark.parametrize("request_", EXAMPLES, ids=lambda each: type(each).__name__)
def test_it_goes_to_json_and_back_unchanged(request_: Request) -> None:
    written = json.dumps(request_.to_json())
    assert type(request_).from_json(json.loads(written)) == request_
    assert hash(type(request_).from_json(json.loads(written))) == hash(request_)


SCALES = st.lists(st.integers(1, 16), min_size=1)


@given(scales=SCALES, dtypes=st.lists(st.sampled_from(DTYPES), min_size=1), limit=st.none() | st.integers(1, 10**9))
def test_any_that_can_be_made_comes_back(scales: list[int], dtypes: list[str], limit: int | None) -> None:
    made = QualityRequest(scales=scales, dtypes=dtypes, limit=limit)
    assert QualityRequest.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert made.scales == tuple(dict.fromkeys(scales)), "a value given twice is measured once"


@given(workloads=st.lists(st.sampled_from(sorted(WORKLOADS)), min_size=1), seconds=st.floats(0.001, 60))
def test_a_speed_request_means_the_same_cells_when_it_comes_back(workloads: list[str], seconds: float) -> None:
    made = SpeedRequest(methods=["bicubic"], workloads=workloads, seconds=seconds)
    assert SpeedRequest.from_json(made.to_json()).cells() == made.cells()


def test_one_value_serves_as_a_list_of_one_and_a_text_as_a_path() -> None:
    made = QualityRequest(methods="bicubic", scales=4, data="folder")
    assert (made.methods, made.scales, made.data) == (("bicubic",), (4,), Path("folder"))


def test_a_version_given_twice_is_compared_with_itself() -> None:
    made = BenchRequest.of(torch=("2.15.0", "2.15.0"))
    assert made.versions is not None
    assert (made.versions.baseline, made.versions.candidate) == ("2.15.0", ("2.15.0",))


@pytest.mark.parametrize(
    "kind, fields, said",
    [
        (QualityRequest, {"scales": ["2"]}, "scales takes a whole number, not '2'"),
        (QualityRequest, {"scales": [True]}, "scales takes a whole number, not True"),
        (QualityRequest, {"scales": [17]}, "17 is too large a scale factor"),
        (QualityRequest, {"dtypes": ["float8"]}, "There is no dtype 'float8'; choose from float32"),
        (QualityRequest, {"split": "validation"}, "There is no split 'validation'"),
        (QualityRequest, {"dataset": "cifar11"}, "There is no dataset 'cifar11'"),
        (QualityRequest, {"limit": 0}, "limit: '0' is no whole number of at least 1"),
        (QualityRequest, {"methods": [3]}, "methods takes a text, not 3"),
        (QualityRequest, {"method": ["absent.py:mine"]}, "There is no file absent.py"),
        (SpeedRequest, {"seconds": float("nan")}, "--seconds takes a time above 0 and up to 60"),
        (SpeedRequest, {"passes": ["backwards"]}, "There is no pass 'backwards'"),
        (DuetRequest, {"candidate": ["2.15.0"]}, "Give --candidate and either --baseline or --against"),
        (DuetRequest, {"baseline": "a", "candidate": "b", "threshold": 1.5}, "threshold: 1.5 is no share"),
        (DuetRequest, {"baseline": "a", "candidate": "b", "plant": ["x"]}, "'x' is no METHOD=FACTOR"),
        (GpuRequest, {"minutes": -1}, "--minutes takes a time above 0"),
        (TrainRequest, {"methods": ["bicubic"]}, "There is no learned method 'bicubic'"),
        (UpsampleRequest, {"input": "a.png", "output": "b.xyz", "method": "bicubic"}, "a name that ends in .png"),
    ],
)
def test_what_cannot_be_meant_is_told_when_it_is_made(kind: type[Request], fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace(".", r"\.")) as raised:
        kind(**fields)
    assert "\n" not in str(raised.value)


def test_a_field_of_another_upbench_is_refused() -> None:
    with pytest.raises(UsageError, match="QualityRequest has no field 'colour'"):
        QualityRequest.from_json({"colour": "red"})


def test_every_field_has_a_default_or_must_be_given() -> None:
    needed = {each.name for each in dataclasses.fields(BisectRequest) if each.default is dataclasses.MISSING}
    assert needed == {"cell", "good", "bad"}


def test_the_main_jobs_options_reach_every_stage_that_has_them() -> None:
    made = BenchRequest.of(methods=["bicubic"], scales=[4], workloads=["image"], degradations=["area"], threshold=0.1)
    assert made.quality == QualityRequest(methods=["bicubic"], scales=[4], degradations=["area"])
    assert made.diagnosis == DiagnosisRequest(methods=["bicubic"], scales=[4])
    assert made.speed == SpeedRequest(methods=["bicubic"], scales=[4], workloads=["image"])
    assert made.versions is None
    with pytest.raises(UsageError, match="The main job has no 'colour'"):
        BenchRequest.of(colour="red")
