"""The model card of a folder of weights, written from the metadata that training put into the files."""

from pathlib import Path

from upbench.methods.pretrained import metadata

HEAD = """# Model card

Written by `upbench train` from the metadata of the files beside it; do not edit it.

**What they are.** Upsampling networks for RGB images, and one linear filter (`wiener`), as float32
safetensors: the `learned-*` and `wiener` methods of upbench load them. Their architectures are in
`methods/networks.py` and `methods/wiener.py`, the recipes in `methods/learned.py`.

**What they are for.** To show what learning costs and brings in a benchmark of upsampling. They were trained
on a few thousand thumbnails that were reduced by one known, clean operation.

**What they must not be used for.** Photographs as cameras and compressors leave them; evidence of any kind
(faces, number plates, medical or satellite images: detail that a network adds was not in the picture); other
scales or degradations than the table's; any comparison with published super-resolution networks, which saw
larger images and far more of them.

**Licence.** MIT, as the project's. The images they were trained on are CIFAR-10's (A. Krizhevsky, "Learning
Multiple Layers of Features from Tiny Images", 2009) and are not part of the project.

PSNR is the mean over images, RGB, uncropped, after clamping and rounding to 8 bit. `held out` are training
images that were kept aside and used for choices; `test` is the test split, used for no choice; `bicubic` is
`F.interpolate`'s on the same test images. `views` is how many mirrored copies of an image the method averages
over, PSNR and time included. Steps `a + b` are two cycles of training, the second from the weights of the
first. Seconds are those of a busy machine, with so many CPU threads.

| method | scale | parameters | views | steps | batch | threads | seconds | held out (dB) | test (dB) | bicubic (dB) |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
"""

ROW = (
    "| `{method}` | x{scale} | {parameters} | {views} | {steps} | {batch} | {threads} | {seconds} "
    "| {psnr_held_out_db} | {psnr_test_db} | {psnr_test_bicubic_db} |"
)

ORIGIN = (
    "Trained on {train_images} images of: {train_data}; {held_out_images} more were held out.\n"
    "Tested on: {test_data}. Degradation: {degradation}.\n"
    "Seed {seed}, torch {torch}."
)


def page(files: list[dict[str, str]]) -> str:
    """The card as markdown, from each file's metadata."""
    rows = [ROW.format(**{"views": "1", **file}) for file in files]
    origins = sorted({ORIGIN.format(**file) for file in files})
    commands = [file["command"] for file in files]
    return HEAD + "\n".join([*rows, "", *origins, "", "Made by:", "```", *commands, "```", ""])


def write(folder: Path) -> None:
    """Write `README.md` for all weights in a folder."""
    files = sorted(folder.glob("*.safetensors"))
    (folder / "README.md").write_text(page([metadata(file) for file in files]), encoding="utf-8")
