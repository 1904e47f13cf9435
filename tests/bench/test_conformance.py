"""The contract: every installed method keeps it, and every way of breaking it is caught in one sentence."""

import gc
from collections.abc import Callable

import pytest
import torch

from upbench.bench.adapters import discover, from_spec
from upbench.bench.conformance import conforming
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.processes import children
from upbench.bench.state import LOOSE, SETTINGS

CPU = torch.device("cpu")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("name", discover())
def test_every_installed_method_keeps_the_contract(name: str, scale: int, device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    try:
        conforming(discover()[name], scale, torch.device(device), torch.float32)
    except SkippedError as reason:
        assert str(reason)
        pytest.skip(str(reason))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.uint8], ids=str)
@pytest.mark.parametrize("name", discover())
def test_every_installed_method_takes_a_dtype_or_declines_it_with_a_reason(name: str, dtype: torch.dtype) -> None:
    try:
        conforming(discover()[name], 2, CPU, dtype)
    except SkippedError as reason:
        assert str(reason)
        pytest.skip(str(reason))


BREACHES = {
    "raises": ("def up(low):\n    raise RuntimeError('out of luck')\nreturn up", "it raised RuntimeError: out of luck"),
    "shape": ("return torch.clone", r"it returned shape \(2, 3, 16, 16\) where \(2, 3, 32, 32\) was due"),
    "dtype": ("return lambda low: F.interpolate(low, scale_factor=scale).double()", "it returned torch.float64"),
    "kind": ("return lambda low: [low]", "it returned a list, not a tensor"),
    "nothing": ("return lambda low: None", "it returned a NoneType, not a tensor"),
    "nan": ("return lambda low: F.interpolate(low, scale_factor=scale) * float('nan')", "NaN or infinite"),
    "infinite": ("return lambda low: F.interpolate(low, scale_factor=scale) / 0", "NaN or infinite"),
    "mutates": ("return lambda low: F.interpolate(low.mul_(0.5), scale_factor=scale)", "it changed its input"),
    "random": (
        "return lambda low: F.interpolate(low, scale_factor=scale) + torch.rand(())",
        "it returned another image for the same input",
    ),
    "remembers_first": (
        "seen = []\ndef up(low):\n    seen.append(F.interpolate(low, scale_factor=scale))\n    return seen[0]\n"
        "return up",
        "a remembered result",
    ),
    "remembers_address": (
        "seen = {}\ndef up(low):\n    return seen.setdefault(low.data_ptr(), F.interpolate(low, scale_factor=scale))\n"
        "return up",
        "a remembered result",
    ),
    "constant": ("return lambda low: torch.zeros(2, 3, 16 * scale, 16 * scale)", "the same image for a new input"),
    "subclass": (
        "return lambda low: torch.nn.Parameter(F.interpolate(low, scale_factor=scale), requires_grad=False)",
        "it returned a Parameter, a subclass of Tensor",
    ),
    "gradients": (
        "weight = torch.ones((), requires_grad=True)\n"
        "def up(low):\n    with torch.inference_mode(False), torch.enable_grad():\n"
        "        return F.interpolate(low.clone(), scale_factor=scale) * weight\nreturn up",
        "it returned a tensor that requires gradients",
    ),
    "one_buffer": (
        "kept = torch.empty(2, 3, 16 * scale, 16 * scale)\n"
        "return lambda low: kept.copy_(F.interpolate(low, scale_factor=scale))",
        "it returned the memory of an earlier output",
    ),
    "array_buffer": (
        "kept = torch.empty(2, 3, 16 * scale, 16 * scale).numpy()\n"
        "def up(low):\n    kept[:] = F.interpolate(low, scale_factor=scale).numpy()\n"
        "    return torch.from_numpy(kept)\nreturn up",
        "it returned the memory of an earlier output",
    ),
    "its_input": (
        "return lambda low: low.repeat(1, 1, scale, scale) if scale > 2 else low.new_empty(0).set_(\n"
        "    low.untyped_storage(), 0, (2, 3, 16 * scale, 16 * scale), (0, 0, 1, 1))",
        "it returned memory of its input",
    ),
    "dtype_set": ("torch.set_default_dtype(torch.float64)\nreturn torch.clone", "it changed the default dtype"),
    "device_set": ("torch.set_default_device('meta')\nreturn torch.clone", "it changed the default device"),
    "threads_set": ("torch.set_num_threads(3)\nreturn torch.clone", "it changed the number of threads"),
    "grad_set": ("torch.set_grad_enabled(False)\nreturn torch.clone", "it changed the grad mode"),
    "seeds": ("torch.manual_seed(5)\nreturn torch.clone", "it changed torch's random seed"),
    "deterministic": ("torch.use_deterministic_algorithms(True)\nreturn torch.clone", "deterministic algorithms"),
    "cudnn": ("torch.backends.cudnn.benchmark = True\nreturn torch.clone", r"it changed cudnn\.benchmark"),
    "denormals": ("torch.set_flush_denormal(True)\nreturn torch.clone", "the flushing of denormal numbers"),
    "clock": ("import time\ntime.perf_counter = lambda: 0.0\nreturn torch.clone", "the clocks of `time`"),
    "handler": (
        "import signal\nsignal.signal(signal.SIGUSR2, signal.SIG_IGN)\nreturn torch.clone",
        "it changed signal handlers",
    ),
    "collector": ("import gc\ngc.disable()\nreturn torch.clone", "it changed garbage collection"),
    "folder_in_call": (
        "import os\ndef up(low):\n    os.chdir('/')\n    return F.interpolate(low, scale_factor=scale)\nreturn up",
        "it changed the current folder",
    ),
    "environment": (
        "import os\ndef up(low):\n    os.environ['LEFT'] = '1'\n"
        "    return F.interpolate(low, scale_factor=scale)\nreturn up",
        "it changed the environment",
    ),
    "filters": (
        "import warnings\ndef up(low):\n    warnings.simplefilter('ignore')\n"
        "    return F.interpolate(low, scale_factor=scale)\nreturn up",
        "it changed the warnings filters",
    ),
    "draws": (
        "import random\nimport numpy as np\ndef up(low):\n    torch.rand(1), np.random.rand(), random.random()\n"
        "    return F.interpolate(low, scale_factor=scale)\nreturn up",
        "it changed torch's random state, numpy's random state, the state of `random`",
    ),
    "thread": (
        "from threading import Thread\nimport time\ndef up(low):\n"
        "    Thread(target=time.sleep, args=(5,), daemon=True).start()\n"
        "    return F.interpolate(low, scale_factor=scale)\nreturn up",
        "it left a thread running",
    ),
    "process": (
        "import subprocess\ndef up(low):\n    subprocess.Popen(['sleep', '60'])\n"
        "    return F.interpolate(low, scale_factor=scale)\nreturn up",
        "it left a process behind",
    ),
    "no_factory": ("return 'bilinear'", "nothing that can be called"),
}


def everything() -> list[object]:
    gc.collect()
    return [item.read() for item in SETTINGS + LOOSE] + [children()]


@pytest.mark.parametrize("breach", BREACHES)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of what an adapter leaves behind
def test_a_breach_of_the_contract_is_caught_and_named(breach: str, adapter_file: Callable[..., str]) -> None:
    body, said = BREACHES[breach]
    before = everything()
    with pytest.raises(FailedError, match=said) as caught:
        conforming(from_spec(adapter_file(breach, body)), 2, CPU, torch.float32)
    assert "\n" not in str(caught.value)
    assert everything() == before, "whatever it changed is put back"


def test_a_method_that_claims_to_interpolate_is_held_to_it(adapter_file: Callable[..., str]) -> None:
    spec = adapter_file("darker", "return lambda low: 0.9 * F.interpolate(low, scale_factor=scale)")
    conforming(from_spec(spec), 2, CPU, torch.float32)  # it claims nothing
    path = spec.rpartition(":")[0]
    with open(path, "a") as file:  # noqa: PTH123 - the spec is text
        file.write("darker.interpolator = True\n")
    with pytest.raises(FailedError, match=r"a constant image changed by 0\.04"):
        conforming(from_spec(spec), 2, CPU, torch.float32)


def test_at_scale_1_an_upsampler_may_return_its_input(adapter_file: Callable[..., str]) -> None:
    conforming(from_spec(adapter_file("same", "return lambda low: low")), 1, CPU, torch.float32)


@pytest.mark.parametrize("kind", ["NotImplementedError", "ImportError"])
def test_a_method_may_decline_when_it_is_called(kind: str, adapter_file: Callable[..., str]) -> None:
    spec = adapter_file("late", f"def up(low):\n    raise {kind}('batches of one only')\nreturn up")
    with pytest.raises(SkippedError, match=r"^batches of one only$"):
        conforming(from_spec(spec), 2, CPU, torch.float32)


def test_an_exception_without_words_is_named_by_its_kind(adapter_file: Callable[..., str]) -> None:
    spec = adapter_file("mute", "def up(low):\n    raise ZeroDivisionError\nreturn up")
    with pytest.raises(FailedError, match="it raised ZeroDivisionError"):
        conforming(from_spec(spec), 2, CPU, torch.float32)
