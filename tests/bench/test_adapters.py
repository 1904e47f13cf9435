"""Finding adapters, loading one from a file or a module, and building its upsampler."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from upbench.bench import adapters, upsampler
from upbench.bench.errors import FailedError, SkippedError, UsageError

CPU = torch.device("cpu")
ISSUE_METHODS = {
    "nearest",
    "nearest-exact",
    "bilinear",
    "bicubic",
    "area",
    "bilinear-align-corners",
    "bicubic-align-corners",
    "bilinear-antialias",
    "bicubic-antialias",
    "transposed-nearest",
    "transposed-bilinear",
    "transposed-random",
    "pixel-shuffle",
    "pixel-shuffle-bicubic",
}


def build(adapter: adapters.Adapter, scale: int = 2, dtype: torch.dtype = torch.float32) -> upsampler.Upsampler:
    return upsampler.build(adapter, scale, CPU, dtype)


def test_the_methods_of_the_contract_are_installed_under_their_names() -> None:
    assert set(adapters.discover()) >= ISSUE_METHODS


def test_every_installed_factory_says_in_one_line_what_it_is() -> None:
    for adapter in adapters.discover().values():
        try:
            assert adapter.summary(), adapter.name
        except SkippedError:
            continue


def test_select_keeps_the_order_asked_for_and_drops_repetitions() -> None:
    names = [adapter.name for adapter in adapters.select(["nearest", "bicubic", "nearest"])]
    assert names == ["nearest", "bicubic"]


def test_select_of_nothing_means_all_unless_a_file_is_named(adapter_file: Callable[..., str]) -> None:
    assert [adapter.name for adapter in adapters.select(None)] == list(adapters.discover())
    assert [adapter.name for adapter in adapters.select(None, [adapter_file("mine", "return torch.clone")])] == ["mine"]


@pytest.mark.parametrize("typed, meant", [("bilinaer", "bilinear"), ("bicubik", "bicubic"), ("neares", "nearest")])
def test_a_mistyped_name_is_answered_with_near_matches(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"There is no method '{typed}'; did you mean .*{meant}"):
        adapters.select([typed])


def test_a_name_like_no_other_is_answered_with_the_way_to_the_list() -> None:
    with pytest.raises(UsageError, match="upbench list"):
        adapters.select(["zzzzzz"])


def test_two_methods_of_one_name_are_declined(adapter_file: Callable[..., str]) -> None:
    with pytest.raises(UsageError, match="2 methods are called 'nearest'; give the factory another name"):
        adapters.select(["nearest"], [adapter_file("nearest", "return torch.clone")])


def test_a_name_may_carry_a_form() -> None:
    adapter = adapters.select(["bilinear@size"])[0]
    assert adapter.name == "bilinear@size"
    assert build(adapter)(torch.rand(1, 3, 5, 4)).shape == (1, 3, 10, 8)


def test_a_form_that_a_method_lacks_is_declined_with_a_reason() -> None:
    with pytest.raises(SkippedError, match="no form 'matrix'"):
        build(adapters.select(["bilinear@matrix"])[0])


def test_a_form_of_a_method_without_forms_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^pixel-shuffle has one form only"):
        adapters.resolve(["pixel-shuffle@size"], [])


def test_a_file_is_an_adapter_without_packaging(adapter_file: Callable[..., str]) -> None:
    spec = adapter_file("mine", "return lambda low: F.interpolate(low, scale_factor=scale)")
    adapter = adapters.from_spec(spec)
    assert adapter.name == "mine"
    assert build(adapter, 3)(torch.rand(1, 3, 4, 4)).shape == (1, 3, 12, 12)


def test_a_module_on_the_path_is_an_adapter(
    adapter_file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter_file("byname", "return lambda low: F.interpolate(low, scale_factor=scale)")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert build(adapters.from_spec("byname_adapter:byname"))(torch.rand(1, 3, 4, 4)).shape == (1, 3, 8, 8)
    sys.modules.pop("byname_adapter")


@pytest.mark.parametrize(
    "spec, said",
    [
        ("nonsense", "write it as FILE.py:FACTORY"),
        (":factory", "write it as FILE.py:FACTORY"),
        ("absent.py:factory", "There is no file absent.py"),
        ("absent_module_of_nobody:factory", "There is no module 'absent_module_of_nobody'"),
        ("json:factory", "json has no factory named 'factory'"),
        ("json:__name__", "json has no factory named '__name__'"),
    ],
)
def test_a_spec_that_leads_nowhere_is_refused_in_one_sentence(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        adapters.from_spec(spec).require()


@pytest.mark.parametrize(
    "top, said",
    [
        ("1 / 0", "division by zero"),
        ("def broken(:", "invalid syntax"),
        ("raise RuntimeError('not today')", "not today"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_with_its_error(
    adapter_file: Callable[..., str], top: str, said: str
) -> None:
    with pytest.raises(UsageError, match=f"cannot be imported: .*{said}"):
        adapters.from_spec(adapter_file("broken", "return torch.clone", top=top)).require()


def test_a_library_that_is_absent_is_a_reason_not_an_error(adapter_file: Callable[..., str]) -> None:
    adapter = adapters.from_spec(adapter_file("needy", "return torch.clone", top="import a_library_of_nobody"))
    with pytest.raises(SkippedError, match="a_library_of_nobody"):
        build(adapter)


@pytest.mark.parametrize("kind, error", [("NotImplementedError", SkippedError), ("ImportError", SkippedError)])
def test_a_factory_declines_with_a_builtin_exception(
    adapter_file: Callable[..., str], kind: str, error: type[Exception]
) -> None:
    adapter = adapters.from_spec(adapter_file("picky", f"raise {kind}('scales of two only')"))
    with pytest.raises(error, match=r"^scales of two only$"):
        build(adapter)


@pytest.mark.parametrize(
    "body, said",
    [
        ("raise ValueError('no luck')", "its factory raised ValueError: no luck"),
        ("return None", "its factory returned nothing that can be called"),
        ("return 3", "its factory returned nothing that can be called"),
    ],
)
def test_a_factory_that_breaks_fails_in_one_sentence(adapter_file: Callable[..., str], body: str, said: str) -> None:
    with pytest.raises(FailedError, match=said):
        build(adapters.from_spec(adapter_file("broken", body)))


def test_a_message_of_many_lines_becomes_one() -> None:
    assert adapters.sentence(ValueError("first\n   second\n")) == "first second"
    assert adapters.sentence(KeyError()) == "KeyError"
    long = adapters.sentence(RuntimeError("a key is missing, " * 1000))
    assert len(long) == 300
    assert long.startswith("a key is missing, a key")
    assert long.endswith(" ...")


NATIVE = """
class Native:
    def prepare(self, low):
        return low.numpy()

    def __call__(self, array):
        assert not hasattr(array, "numpy")
        return array.repeat(2, axis=2).repeat(2, axis=3)

    def restore(self, array):
        return torch.from_numpy(array)
"""


def test_a_library_on_arrays_of_its_own_gets_its_conversions_apart(adapter_file: Callable[..., str]) -> None:
    upsampler = build(adapters.from_spec(adapter_file("native", "return Native()", top=NATIVE)))
    low = torch.rand(1, 3, 4, 4)
    assert upsampler.native
    assert torch.equal(upsampler(low), torch.nn.functional.interpolate(low, scale_factor=2))


def test_a_method_on_tensors_has_no_conversions() -> None:
    assert not build(adapters.select(["nearest"])[0]).native
