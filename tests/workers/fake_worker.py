#!/usr/bin/env python3
"""A worker without torch, for the tests: it answers the protocol from the behaviour in `behaviour.json` beside it.

Timings are lognormal around one millisecond a call, times `ratio`; `spread` is their standard deviation in
log, `between` that of the process's own level, which is one of `groups`, in turn. `trouble` maps a cell's method
to crash, hang, garbage, skip or fail.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

BEHAVIOUR = json.loads((Path(sys.argv[0]).parent / "behaviour.json").read_text())
HOST = {"cpu": BEHAVIOUR.get("cpu", "a fake"), "cores": 2, "allocator": {}, "packages": {"torch": "0.0"}}


def main() -> None:
    """Serve."""
    with (Path(sys.argv[0]).parent / "pids").open("a") as pids:
        pids.write(f"{os.getpid()}\n")
    time.sleep(BEHAVIOUR.get("start", 0))
    if BEHAVIOUR.get("mute"):
        sys.exit("ImportError: no torch here")
    level = begin()
    for line in sys.stdin:
        request = json.loads(line)
        if request["ask"] == "renew":
            level = begin()
        else:
            write(answer(request, level))


def begin() -> float:
    """Say hello; returns the level of the process that serves from now on."""
    write({"protocol": BEHAVIOUR.get("protocol", 1), "pid": os.getpid()})
    with (Path(sys.argv[0]).parent / "begun").open("a") as begun:
        begun.write(".")
    groups = BEHAVIOUR.get("groups", [0.0])
    begun_so_far = (Path(sys.argv[0]).parent / "begun").stat().st_size
    return random.gauss(groups[begun_so_far % len(groups)], BEHAVIOUR.get("between", 0.0))


def write(message: dict) -> None:
    """One line."""
    print(json.dumps(message), flush=True)


def answer(request: dict, level: float) -> dict:
    """What the real worker would say."""
    ask, cell = request["ask"], request.get("cell", "")
    trouble = BEHAVIOUR.get("trouble", {}).get(cell.partition("/")[0])
    if trouble and ask == BEHAVIOUR.get("when", "block"):
        misbehave(trouble)
    if trouble in ("skip", "fail"):
        return {"ok": False, "kind": {"skip": "skipped", "fail": "failed"}[trouble], "reason": "it would not"}
    if ask == "block":
        time.sleep(BEHAVIOUR.get("slow", 0))
        ratio = BEHAVIOUR.get("ratio", 1.0) * request["planted"]
        noise = random.gauss(level, BEHAVIOUR.get("spread", 0.005))
        seconds = 1e-3 * request["calls"] * ratio * 2.718281828**noise
        return {"ok": True, "seconds": seconds, "wall": seconds, "faults": 0}
    if ask == "prepare":
        with (Path(sys.argv[0]).parent / "asked").open("a") as asked:
            asked.write(json.dumps(request) + "\n")
    if ask == "edges":
        return {"ok": True, "answers": {f"1x3x2x2 {request['dtype']} contiguous x2": BEHAVIOUR.get("edge", "0")}}
    if ask == "yardstick":
        return {"ok": True, "seconds": 1e-3}
    if ask == "output":
        return {"ok": True, "digest": BEHAVIOUR.get("digest", "0"), "shape": []}
    return {"ok": True, "bytes": BEHAVIOUR.get("bytes", 1000), "host": HOST}


def misbehave(trouble: str) -> None:
    """Break the protocol."""
    if trouble == "crash":
        print("it hurt", file=sys.stderr, flush=True)
        os._exit(7)
    if trouble == "hang":
        time.sleep(3600)
    if trouble == "garbage":
        print("Warning: something printed this", flush=True)


main()
