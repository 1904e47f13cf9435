"""A method's model file, made and checked in a worker."""

from pathlib import Path

from upbench.bench.adapters import lazily
from upbench.bench.deploy.request import DeployRequest
from upbench.bench.deploy.travelling import Travelling
from upbench.bench.errors import FailedError, UsageError
from upbench.bench.store import replacing


def write(request: DeployRequest, path: Path, *, dynamic: bool = True) -> str:
    """Write the one method's model file once the runtime has given the eager pixels; returns the line that runs it.

    `dynamic`: of any height and width, else 256x256 only. Raises `UsageError` where it cannot be exported, gives
    other pixels, dies or hangs; then there is no file.
    """
    methods = [*(request.methods or ()), *request.method]
    if len(methods) != 1 or len(request.scales) != 1:
        raise UsageError("--onnx writes one method at one scale; name them with --methods and --scales.")
    adapter, scale = lazily(methods[0]), request.scales[0]
    with Travelling(request.but(roads="onnx")) as worker, replacing(path) as temporary:
        try:
            worker.write(adapter.source, scale, temporary.absolute(), dynamic=dynamic)
        except FailedError as error:
            raise UsageError(f"{adapter.name} cannot be exported: {error}.") from error
    sizes = "any height and width" if dynamic else "256x256"
    run = f"onnxruntime.InferenceSession({str(path)!r}).run(None, {{'low': images}})[0]"
    return (
        f"{path}: {adapter.name} x{scale} for {sizes}, checked in ONNX Runtime. Float32 (1, 3, H, W) in [0, 1]: {run}"
    )
