"""Families: who made a method, so that it keeps its colour and marker in every figure; and names for groups."""

import re
from collections.abc import Iterable

from upbench.bench.cells import PLAIN

NAMES = {
    "torch": "torch",
    "upbench": "upbench",
    "spectral": "spectral, iterative",
    "convolution": "convolution",
    "libraries": "other libraries",
    "learned": "learned",
    "yours": "yours",
}

PATTERNS = {
    "torch": r"nearest(-exact)?|area|bilinear(-align-corners|-antialias)?|bicubic(-align-corners|-antialias)?"
    r"|lanczos-antialias|grid-sample-\w+",
    "upbench": r"(triton-)?polyphase-\w+|matmul-\w+|spline\d|lanczos\d|catmull-rom|mitchell|hamming",
    "spectral": r"dct|fourier|wiener|back-projection",
    "convolution": r"transposed-\w+|pixel-shuffle(-\w+)?",
    "libraries": r"(pillow|opencv|skimage|scipy|torchvision|kornia|resize-right|torch-interpol)-.+|torchlanc",
    "learned": r"learned-.+",
}


def of(name: str) -> str:
    """The family of a method; one that nobody here knows is yours."""
    return next((family for family, pattern in PATTERNS.items() if re.fullmatch(pattern, name)), "yours")


def title(names: Iterable[str]) -> str:
    """What a group of equal pixels is called: torch's plain name, else the shortest that is no library's."""
    members = list(names)
    plain = [name for name in PLAIN if name in members]
    return plain[0] if plain else min(members, key=lambda name: (of(name) == "libraries", len(name), name))
