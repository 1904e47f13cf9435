"""The real worker, this environment on both sides, and a slowdown too large to be missed."""

import sys

from upbench.bench.cli.main import main
from upbench.bench.gate import progress, verdict
from upbench.bench.store import read_json


def test_a_planted_half_is_found_and_nothing_else(tmp_path, monkeypatch):
    """With fewer pairs than usual: each costs two imports of torch."""
    monkeypatch.setattr(verdict, "MIN_PAIRS", 3)
    for module in (verdict, progress):
        monkeypatch.setattr(module, "LOOKS", (3, 12))
    out = tmp_path / "out"
    code = main(
        [
            *("duet", "--baseline", sys.executable, "--candidate", sys.executable),
            *("--methods", "bilinear", "bicubic", "--workloads", "1x3x32x32", "--plant", "bicubic=1.5"),
            *("--threshold", "15%", "--budget", "10m", "--out", str(out), "--environments", str(tmp_path)),
        ]
    )
    (comparison,) = read_json(out / "versions.json")["comparisons"]
    bilinear, bicubic = comparison["cells"]
    assert bicubic["verdict"] == "SLOWER", bicubic["reason"]
    assert 1.4 < bicubic["ratio"] < 1.6
    assert bilinear["verdict"] in ("SAME", "UNRESOLVED", "BIMODAL")
    assert code == 1
    assert bilinear["pixels"]["status"] == bicubic["pixels"]["status"] == "identical"
    assert bilinear["memory"]["baseline_bytes"] == bilinear["memory"]["candidate_bytes"] >= 3 * 64 * 64 * 4
    assert comparison["candidate"]["host"]["allocator"]["THP_MEM_ALLOC_ENABLE"] == "1"
    assert comparison["candidate"]["host"]["packages"]["torch"]
