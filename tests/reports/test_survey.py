"""Images from names: groups, ties, the front. Differences that the samples do not support are ties."""

from collections.abc import Callable

import pytest

from upbench.reports.survey import Survey, Time, survey

PSNR = {"nearest": 24.0, "bilinear": 25.0, "bicubic": 26.0, "spline3": 26.5}


def titles(found: Survey, workload: str = "image") -> list[list[str]]:
    return [[image.title for image in group] for group in found.front(workload)]


def test_the_front_is_what_nothing_beats_fastest_first(planted: Callable) -> None:
    times = {"nearest": 1e-3, "bilinear": 9e-3, "bicubic": 4e-3, "spline3": 8e-3}
    assert titles(survey(planted(psnr=PSNR, times={"image": times}))) == [["nearest"], ["bicubic"], ["spline3"]]


@pytest.mark.parametrize(
    "one, other, shorter",
    [((1.0, 1.1), (1.2, 1.3), True), ((1.0, 1.25), (1.2, 1.4), False), ((1.0, 1.01), (1.02, 1.04), False)],
    ids=["apart", "quartiles overlap", "apart by less than 5 %"],
)
def test_a_time_is_shorter_only_beyond_the_quartiles_and_five_per_cent(
    one: tuple[float, float], other: tuple[float, float], shorter: bool
) -> None:
    first, second = (Time(low=low, middle=(low + high) / 2, high=high) for low, high in (one, other))
    assert first.shorter(second) is shorter
    assert not second.shorter(first)


def test_what_ties_in_quality_and_time_stands_together(planted: Callable) -> None:
    psnr = {"nearest": 24.0, "spline5": 26.48, "spline3": 26.5}
    found = survey(planted(psnr=psnr, times={"image": {"nearest": 1e-3, "spline5": 2e-3, "spline3": 2.02e-3}}))
    assert titles(found) == [["nearest"], ["spline5", "spline3"]]


def test_a_time_runs_from_tensor_to_tensor(planted: Callable) -> None:
    run = planted(psnr={"nearest": 24.0, "pillow-nearest": 24.0}, times={"image": {"nearest": 2e-3}})
    conversions = {"method": "pillow-nearest", "conversion_seconds": 1.5e-3, "seconds": 1e-3, "q1": 1e-3, "q3": 1e-3}
    row = run.speed.iloc[0].to_dict() | conversions
    run.speed.loc[len(run.speed)] = row
    run.quality["pixels"] = "nearest"
    (image,) = survey(run).images
    assert image.fastest("image").name == "nearest"
    assert image.timed("image")[1].times["image"].middle == pytest.approx(2.5e-3)


@pytest.mark.parametrize(
    "names, title",
    [
        (("bilinear", "polyphase-bilinear", "kornia-bilinear"), "bilinear"),
        (("bicubic-antialias", "catmull-rom", "pillow-bicubic"), "catmull-rom"),
        (("scipy-5", "spline5", "torch-interpol-5"), "spline5"),
        (("mine",), "mine"),
    ],
)
def test_a_group_is_called_as_most_people_know_it(planted: Callable, names: tuple[str, ...], title: str) -> None:
    run = planted(psnr=dict.fromkeys(names, 25.0))
    run.quality["pixels"] = names[0]
    (image,) = survey(run).images
    assert image.title == title
    assert {name.name for name in image.names} == set(names)


def test_quality_alone_and_speed_alone_are_surveys(planted: Callable) -> None:
    assert [image.title for image in survey(planted(psnr=PSNR)).images] == ["spline3", "bicubic", "bilinear", "nearest"]
    alone = survey(planted(times={"image": {"nearest": 1e-3}}))
    assert alone.front("image") == []
    assert alone.images[0].time("image").middle == pytest.approx(1e-3)
