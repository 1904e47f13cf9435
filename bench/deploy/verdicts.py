"""The words a road is judged by, and the judgement of pixels. Nothing here imports torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SAME = "same pixels"
OTHER = "other pixels"
STATIC = "exported size only"  # asked at another size, it says so
SILENT = "silently wrong elsewhere"  # asked at another size or with another image, it answers, and wrongly
REFUSES = "refuses"
LOST = "dies or hangs"
NOT_ASKED = "not asked"  # an extra is absent, the method works on arrays, or the time was up
VERDICTS = (SAME, OTHER, STATIC, SILENT, REFUSES, LOST, NOT_ASKED)

CLOSE = 1e-4  # of the range [0, 1]: a fortieth of an 8-bit step; sums in another order differ by less
BORDER = 4  # input pixels from the edge that count as border

Image = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far a road's image is from the eager one: in [0, 1], in 8-bit steps, and where (`border` or `inside`)."""

    largest: float
    steps: int
    where: str


def difference(there: Image, eager: Image, scale: int) -> Difference:
    """Compare `(N, C, H, W)` images of one shape; steps are of the images clamped and rounded to 8 bits.

    Rounding flips at ties, so that a step may come of a difference far below one: `judge` looks at `largest`.
    """
    distance = np.abs(there.astype(np.float64) - eager)
    largest = float(distance.max(initial=0.0)) if np.isfinite(there).all() else float("inf")
    levels = [np.round(np.clip(np.nan_to_num(image), 0, 1) * 255) for image in (there, eager)]
    frame = BORDER * scale
    inside = distance[..., frame:-frame, frame:-frame]
    where = "inside" if inside.size and inside.max() > CLOSE else "border"
    return Difference(
        largest=largest,
        steps=int(np.abs(levels[0] - levels[1]).max(initial=0.0)),
        where=where if largest > CLOSE else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A road asked with one image: what came out, or why nothing did; `exported` at the size it was made for."""

    size: str
    exported: bool
    difference: Difference | None = None
    reason: str = ""


def judge(trials: Sequence[Trial]) -> dict[str, object]:
    """The verdict on a road's trials, the one at the exported size first, as the columns of a row."""
    first = trials[0]
    if first.difference is None:
        return {"verdict": REFUSES, "reason": first.reason}
    at_size = [trial.difference for trial in trials if trial.exported and trial.difference]
    worst = max(at_size, key=lambda found: found.largest)
    columns: dict[str, object] = {"largest": worst.largest, "steps": worst.steps, "where": worst.where}
    for trial in trials:
        if trial.exported and trial.difference is None:
            return columns | {"verdict": REFUSES, "reason": f"{trial.size}: {trial.reason}"}
    elsewhere = [trial for trial in trials if not trial.exported]
    wrong = [
        trial for trial in elsewhere if trial.difference and trial.difference.largest > max(CLOSE, 2 * worst.largest)
    ]
    if wrong:
        return columns | {"verdict": SILENT, "reason": f"wrong at {', '.join(trial.size for trial in wrong)}"}
    refused = [trial for trial in elsewhere if trial.difference is None]
    if refused:
        where = ", ".join(trial.size for trial in refused)
        return columns | {"verdict": STATIC, "reason": f"refuses {where}: {refused[0].reason}"}
    return columns | {"verdict": SAME if worst.largest <= CLOSE else OTHER, "reason": ""}


def judge_shapes(trials: Sequence[Trial], eager_refuses: Sequence[Trial]) -> dict[str, object]:
    """The verdict on a road at the shapes that eager can do, as the columns of a row.

    The figures are of the worst shape that gave an image; `note` names the shapes, and those that eager refuses.
    """
    found = [trial.difference for trial in trials if trial.difference]
    columns: dict[str, object] = {}
    if found:
        worst = max(found, key=lambda difference: difference.largest)
        columns = {"largest": worst.largest, "steps": worst.steps, "where": worst.where}
    wrong = [trial for trial in trials if trial.difference and trial.difference.largest > CLOSE]
    refused = [trial for trial in trials if trial.difference is None]
    right = [trial.size for trial in trials if trial not in wrong and trial not in refused]
    said = [f"wrong at {_names(wrong)}"] if wrong else []
    said += [f"refuses {_names(refused)}: {refused[0].reason}"] if refused else []
    notes = [f"same at {', '.join(right)}"] if right else []
    notes += [f"eager refuses {_names(eager_refuses)}"] if eager_refuses else []
    verdict = SILENT if wrong else REFUSES if refused else SAME
    return columns | {"verdict": verdict, "reason": "; ".join(said), "note": "; ".join(notes)}


def _names(trials: Sequence[Trial]) -> str:
    return ", ".join(trial.size for trial in trials)
