"""Compare ways from a boundary map to grains, and measure what a large map costs.

    python benchmarks/partition.py --map iron PROBABILITY.tif LABEL --map tbm PROBABILITY.tif LABEL …
    python benchmarks/partition.py --fresh [--blur-px 0.7]
    python benchmarks/partition.py --megapixels 100

A label is a map of grain ids, or a mask of two values in which the greater one marks the boundaries; of a
label larger than its map, the top left part is used. Each method is fitted to each map separately (sum of
adapted Rand error and relative count error), and once to all maps. With this common choice, the grains of
drawn closed networks (lines 2, 3 and 5 px wide, grains of 20, 30, 45 and 60 px) are counted, and those of the
same networks with 7 px gaps in 5 % of their boundaries. Without maps, only the drawn networks are counted,
with the default of the package.

``--fresh`` counts twelve more drawn networks for each grain size, with seeds that were not used for any
choice. Gaps of 7 px are cut into any boundaries, where a boundary shorter than that disappears, and into
boundaries longer than a gap and the line's width, where a part of each remains. Blurred networks are counted
in the same way as a probability.
"""

import argparse
import resource
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from scipy import ndimage
from skimage.morphology import local_minima, reconstruction
from skimage.segmentation import expand_labels, watershed

from grainseg.grains.closing.partition import (
    DEFAULT_SETTINGS,
    PartitionSettings,
    partition_mask,
    partition_probability,
)
from grainseg.grains.scoring.agreement_regions import RegionScores, region_scores
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY
from grainseg.micrograph.plain.polycrystal import polycrystal

Grains = npt.NDArray[np.integer]
Method = Callable[..., Grains]


def thresholded(probability: npt.NDArray[np.float32], threshold: float) -> Grains:
    cores, _ = ndimage.label(probability <= threshold)
    grains: Grains = expand_labels(cores, max(probability.shape))
    return grains


def minima_of_probability(probability: npt.NDArray[np.float32], h: float) -> Grains:
    # Not h_minima: it marks the deepest pixels, and a flat basin has many of these that are not connected.
    raised = probability + np.float32(h)
    filled = reconstruction(raised, probability, method="erosion")
    seeds, _ = ndimage.label(local_minima(filled))
    grains: Grains = watershed(probability, seeds)
    return grains


def maxima_of_distance(probability: npt.NDArray[np.float32], threshold: float, depth: float) -> Grains:
    return partition_probability(probability, PartitionSettings(threshold, depth, 0, 0)).grains


def merged(probability: npt.NDArray[np.float32], threshold: float, depth: float, support: float) -> Grains:
    return partition_probability(probability, PartitionSettings(threshold, depth, support, 0)).grains


THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
DEPTHS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
SUPPORTS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
METHODS: dict[str, tuple[Method, tuple[tuple[float, ...], ...]]] = {
    "threshold, connected components": (thresholded, (THRESHOLDS,)),
    "h-minima of the probability": (minima_of_probability, ((0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4),)),
    "relative h-maxima of the distance": (maxima_of_distance, (THRESHOLDS, DEPTHS)),
    "merging by support alone (depth 0.05)": (merged, (THRESHOLDS, (0.05,), SUPPORTS)),
    "relative h-maxima, then support": (merged, (THRESHOLDS, DEPTHS, SUPPORTS)),
}


def error(scores: RegionScores) -> float:
    return scores.adapted_rand_error + scores.grain_count_error


def cell(scores: RegionScores) -> str:
    errors = scores.signed_count_error, scores.signed_intercept_error
    return f"{scores.adapted_rand_error:.3f}, {errors[0]:+.3f}, {errors[1]:+.3f}"


def cut_gaps(
    grains: Grains,
    lines: npt.NDArray[np.bool_],
    share: float,
    gap_px: float,
    seed: int,
    longer_px: float = 0.0,
) -> npt.NDArray[np.bool_]:
    """Cut a gap into the middle of a share of the boundaries, all at least ``longer_px`` long."""
    middles, length_px = boundary_middles(grains)
    chosen = np.random.default_rng(seed).permutation(middles[length_px >= longer_px])
    gapped = lines.copy()
    for row, column in chosen[: round(share * len(middles))]:
        y, x = np.ogrid[: lines.shape[0], : lines.shape[1]]
        gapped &= (y - row) ** 2 + (x - column) ** 2 > (gap_px / 2) ** 2
    return gapped


def boundary_middles(grains: Grains) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where the boundary of each pair of neighbours can be cut.

    Returns:
        (N, 2) the point of the boundary nearest to its centre of gravity, and (N,) the diagonal of its
        bounding rectangle.
    """
    points: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for down, right in ((0, 1), (1, 0)):
        here, there = grains[: -down or None, : -right or None], grains[down:, right:]
        for row, column in np.argwhere(here != there):
            pair = sorted((int(here[row, column]), int(there[row, column])))
            points.setdefault((pair[0], pair[1]), []).append((row + down / 2, column + right / 2))
    arrays = [np.array(each) for each in points.values()]
    middles = [each[((each - each.mean(axis=0)) ** 2).sum(axis=1).argmin()] for each in arrays]
    return np.array(middles), np.array([np.hypot(*np.ptp(each, axis=0)) for each in arrays])


def drawn_networks() -> list[tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """Number of grains, closed network, network with gaps."""
    drawn = []
    for seed, (mean, width) in enumerate(product((20, 30, 45, 60), (2, 3, 5))):
        grains = polycrystal(seed, (768, 768), mean, 0.42, width)
        lines = boundary_lines(grains, width) == BOUNDARY
        drawn.append((int(grains.max()), lines, cut_gaps(grains, lines, 0.05, 7, seed)))
    return drawn


def count_errors(
    method: Method,
    values: tuple[float, ...],
    drawn: list[tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
) -> str:
    """Least, mean and greatest relative count error in %, of the closed and of the gapped networks."""
    closed: list[float] = []
    gapped: list[float] = []
    for count, lines, with_gaps in drawn:
        for errors, mask in ((closed, lines), (gapped, with_gaps)):
            found = len(np.unique(method(mask.astype(np.float32), *values)))
            errors.append(100 * (found / count - 1))
    return " | ".join(
        f"{min(errors):+.1f}, {np.mean(errors):+.1f}, {max(errors):+.1f}" for errors in (closed, gapped)
    )


def read_label(path: Path, shape: tuple[int, int]) -> Grains:
    if path.suffix.lower() in (".tif", ".tiff"):
        label = tifffile.imread(path)
    else:
        with Image.open(path) as picture:
            label = np.asarray(picture)
    label = label[: shape[0], : shape[1]]
    if np.unique(label).size == 2:
        return partition_mask(label == label.max()).grains
    return label


def compare(maps: list[tuple[str, str, str]]) -> None:
    drawn = drawn_networks()
    pairs = []
    for _, probability_path, label_path in maps:
        probability = tifffile.imread(probability_path)
        pairs.append((probability, read_label(Path(label_path), probability.shape)))
    names = [name for name, _, _ in maps]
    columns = "".join(f"{name}: ARE, count, intercept | " for name in names)
    print(f"| method | {columns}one choice for all: values | ARE + count, summed | closed, % | gapped, % |")
    print("|---|" + "---|" * (len(names) + 4))
    for title, (method, grid) in METHODS.items():
        choices = list(product(*grid))
        scores = [
            [region_scores(method(each, *values), label) for values in choices] for each, label in pairs
        ]
        cells = []
        for of_map in scores:
            best = min(of_map, key=error)
            cells.append(cell(best))
        totals = [sum(error(of_map[index]) for of_map in scores) for index in range(len(choices))]
        index = int(np.argmin(totals))
        counts = count_errors(method, choices[index], drawn)
        print(
            f"| {title} | {' | '.join(cells)} | {choices[index]} | {totals[index]:.3f} | {counts} |",
            flush=True,
        )
    defaults = [region_scores(partition_probability(each).grains, label) for each, label in pairs]
    cells = [cell(each) for each in defaults]
    counts = count_errors(lambda each: partition_probability(each).grains, (), drawn)
    total = sum(map(error, defaults))
    print(
        f"| the package's default | {' | '.join([*cells, str(DEFAULT_SETTINGS)])} | {total:.3f} | {counts} |"
    )


def fresh(blur_px: float) -> None:
    """Drawn networks that no setting was chosen on."""
    print("| grains | closed | gaps in any boundary, beyond 5 % | in longer ones, beyond 5 % |")
    print("|---|---|---|---|")
    for mean_px, side in ((20, 512), (30, 512), (40, 640), (60, 768)):
        errors: list[list[float]] = [[], [], []]
        for width, seed in product((2, 3, 5), range(4)):
            grains = polycrystal(7000 + 97 * seed + mean_px + width, (side, side), mean_px, 0.42, width)
            lines = boundary_lines(grains, width) == BOUNDARY
            drawn = [lines, *(cut_gaps(grains, lines, 0.05, 7, seed, longer) for longer in (0, 7 + width))]
            for found, mask in zip(errors, drawn, strict=True):
                graded = mask.astype(np.float32)
                if blur_px > 0:
                    graded = cv2.GaussianBlur(graded, (0, 0), blur_px)
                found.append(100 * (partition_probability(graded).count / int(grains.max()) - 1))
        cells = [f"{np.mean(each):+.1f} ({min(each):+.1f} to {max(each):+.1f})" for each in errors]
        beyond = [sum(abs(each) > 5 for each in found) for found in errors]
        print(
            f"| {mean_px} px | {cells[0]} | {cells[1]}, {beyond[1]} of 12 | {cells[2]}, {beyond[2]} of 12 |",
            flush=True,
        )


def large(megapixels: float) -> None:
    """A blurred, noisy map of a gapped network, mirrored until it is large enough."""
    grains = polycrystal(1, (1024, 1024), 40, 0.42, 3)
    lines = cut_gaps(grains, boundary_lines(grains, 3) == BOUNDARY, 0.05, 7, 1)
    side = round((megapixels * 1e6) ** 0.5)
    repeats = -(-side // 2048)
    block = np.block([[lines, lines[:, ::-1]], [lines[::-1], lines[::-1, ::-1]]]).astype(np.float32)
    probability = np.tile(block, (repeats, repeats))[:side, :side].copy()
    probability += np.random.default_rng(0).standard_normal(probability.shape, np.float32) * np.float32(0.3)
    probability = np.clip(cv2.GaussianBlur(probability, (0, 0), 1.0), 0, 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start = time.perf_counter()
    result = partition_probability(probability)
    print(
        f"{probability.size / 1e6:.1f} Mpx: {time.perf_counter() - start:.1f} s, {result.count} grains, "
        f"closed {result.closed_length_px / result.boundary_length_px:.1%}, open ends {result.open_ends}; "
        "peak memory of the process "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB (before: {before:.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--map", nargs=3, action="append", default=[], metavar=("NAME", "PROBABILITY", "LABEL")
    )
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--blur-px", type=float, default=0.0)
    parser.add_argument("--megapixels", type=float)
    arguments = parser.parse_args()
    if arguments.megapixels:
        large(arguments.megapixels)
    elif arguments.fresh:
        fresh(arguments.blur_px)
    else:
        compare([tuple(each) for each in arguments.map])


if __name__ == "__main__":
    main()
