"""How much faster are our metrics than a loop over scikit-image? `python -m upbench.bench.quality.metric_speed`.

Both score the same pairs in one run, uint8 in: random images of 3x32x32 and noisy copies. The table gives the
seconds of each, the ratio, and the largest difference between their values. Ours run as in the quality stage: Python
threads of one torch thread each, here over parts of the images. The processor's seconds are given too, because on a
busy machine they say more than the clock's.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tqdm import tqdm

from upbench.bench.inputs import random_images
from upbench.bench.quality import metrics

BATCH = 32
THREADS = 2
REPEATS = 20  # of ours: other programs only ever make it slower


def main(images: int = 10_000) -> None:
    """Measure so many pairs and print the table."""
    high = random_images((images, 3, 32, 32), dtype=torch.uint8, seed=0)
    noise = random_images((images, 3, 32, 32), dtype=torch.uint8, seed=1)
    test = (high.float() * 0.9 + noise.float() * 0.1).round().to(torch.uint8)
    torch.set_num_threads(1)
    seconds, processor = [], []
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in tqdm(range(REPEATS), desc="upbench"):
            start, processor_start = time.perf_counter(), time.process_time()
            ours = np.concatenate(list(pool.map(score, high.chunk(THREADS), test.chunk(THREADS))))
            seconds.append(time.perf_counter() - start)
            processor.append(time.process_time() - processor_start)
    start = time.perf_counter()
    theirs = score_by_scikit_image(high.numpy(), test.numpy())
    slow, fast = time.perf_counter() - start, min(seconds)
    worst = np.abs(ours - theirs).max(axis=0)
    print(f"pairs: {images:,}, threads: {THREADS}")
    print(f"upbench       {fast:8.3f} s, the least of {REPEATS} times; processor {min(processor):.3f} s")
    print(f"scikit-image  {slow:8.3f} s, once; {slow / fast:.0f} times as long")
    print(f"largest difference: PSNR {worst[0]:.1e} dB, SSIM {worst[1]:.1e}")


def score(high: torch.Tensor, test: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """PSNR and SSIM of each pair, `(N, 2)`, by upbench."""
    rows = []
    for one, other in zip(torch.split(high, BATCH), torch.split(test, BATCH), strict=True):
        levels = metrics.to_levels(one), metrics.to_levels(other)
        rows.append(torch.stack([metrics.psnr_db(*levels), metrics.ssim(*levels)], dim=1))
    return torch.cat(rows).numpy()


def score_by_scikit_image(
    high: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], test: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The same by a loop over scikit-image."""
    rows = [
        (
            peak_signal_noise_ratio(one, other, data_range=255),  # type: ignore[no-untyped-call]
            structural_similarity(  # type: ignore[no-untyped-call]
                one,
                other,
                channel_axis=0,
                data_range=255,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
            ),
        )
        for one, other in tqdm(zip(high, test, strict=True), total=len(high), desc="scikit-image")
    ]
    return np.array(rows)


if __name__ == "__main__":
    main()
