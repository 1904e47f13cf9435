"""A method as an ONNX model: exported, run in ONNX Runtime, and written to a file that was checked there."""

import importlib
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO, StringIO
from typing import Any

import torch
from torch import Tensor

from upbench.bench.deploy.asked import ELSEWHERE, EXPORTED, Asked, processor_seconds, reason
from upbench.bench.deploy.graphs import FREE, Row, listed
from upbench.bench.deploy.verdicts import SAME, judge
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.inputs import random_images

INSTALL = "it needs {name}: pip install 'upbench[deploy]'"
INSTALL_OPENVINO = "it needs openvino: pip install openvino"
RESIZE_ATTRIBUTES = ("mode", "coordinate_transformation_mode", "cubic_coeff_a", "antialias", "exclude_outside")
PACKAGES = ("onnx", "onnxscript", "onnxruntime", "openvino")

Runner = Callable[[Tensor], Any]


def package(name: str, line: str = INSTALL) -> Any:
    """Import an optional package; raises `SkippedError` with the line that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SkippedError(line.format(name=name)) from error


def versions() -> dict[str, str]:
    """Of torch, and of the exporters and runtimes that are installed."""
    found = {"torch": str(torch.__version__)}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def export(asked: Asked, low: Tensor | None = None, *, free: dict[int, Any] | None) -> Any:
    """The model (an `onnx.ModelProto`) of a fresh module, by the exporter that builds on `torch.export`.

    `low`: the image that it is exported with; `free`: its dimensions that may be others.
    """
    for name in ("onnx", "onnxscript"):
        package(name)
    with redirect_stdout(StringIO()):
        program = torch.onnx.export(
            asked.fresh(),
            (random_images(EXPORTED) if low is None else low,),
            dynamo=True,
            verbose=False,
            dynamic_shapes=(free,) if free else None,
        )
    if program is None:
        raise FailedError("the exporter returned nothing")
    return program.model_proto


def in_onnxruntime(model: bytes) -> Runner:
    """Run a model on the CPU with one thread."""
    runtime = package("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda low: session.run(None, {name: low.contiguous().numpy()})[0]


def in_openvino(model: bytes) -> Runner:
    """Run a model on the CPU with one thread, in float32 (bfloat16 is its default on some CPUs).

    OpenVINO's import sends usage events and leaves a folder in the user's home, unless its telemetry is absent.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    openvino = package("openvino", INSTALL_OPENVINO)
    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(openvino.convert_model(BytesIO(model)), "CPU", settings)
    return lambda low: compiled(low.contiguous().numpy())[0]


def road(asked: Asked, *, dynamic: bool, runtime: Callable[[bytes], Runner] = in_onnxruntime) -> Row:
    """Export, load in the runtime, compare and time."""
    package("onnxruntime") if runtime is in_onnxruntime else package("openvino", INSTALL_OPENVINO)
    if dynamic not in asked.models:
        start = processor_seconds()
        model = export(asked, free=FREE if dynamic else None)
        asked.models[dynamic] = model, processor_seconds() - start
    model, took = asked.models[dynamic]
    about = {"prepare_seconds": took, "operators": operators(model), "opset": model.opset_import[0].version}
    try:
        run = runtime(model.SerializeToString())
    except Exception as error:
        raise FailedError(f"it exports, and the runtime will not load it: {reason(error)}") from error
    return judge(asked.trials(run, ELSEWHERE if dynamic else ())) | asked.times(run) | about


def operators(model: Any) -> str:
    """The graph's operators; of Resize with the attributes that decide its pixels."""
    return listed(Counter(_operator(node) for node in model.graph.node))


def _operator(node: Any) -> str:
    if node.op_type != "Resize":
        return str(node.op_type)
    onnx = package("onnx")
    values = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    told = {name: values[name] for name in RESIZE_ATTRIBUTES if name in values}
    texts = (f"{name}={v.decode() if isinstance(v, bytes) else f'{v:g}'}" for name, v in told.items())
    return f"Resize({' '.join(texts)})"


def checked(asked: Asked, *, dynamic: bool) -> bytes:
    """The method's model once the runtime has given the eager pixels.

    `dynamic`: of any height and width, else 256x256 only. Raises `UsageError` where it cannot be exported or gives
    other pixels.
    """
    name = asked.adapter.name
    try:
        model = export(asked, free=FREE if dynamic else None).SerializeToString()
        verdict = judge(asked.trials(in_onnxruntime(model), ELSEWHERE if dynamic else ()))
    except SkippedError as error:
        raise UsageError(f"{name}: {error}.") from error
    except Exception as error:
        raise UsageError(f"{name} cannot be exported: {reason(error)}.") from error
    if verdict["verdict"] != SAME:
        raise UsageError(f"{name} would run with another result ({verdict['verdict']}: {verdict['reason']}).")
    return bytes(model)
