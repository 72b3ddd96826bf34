"""Where real micrographs lie among the pictures of the wide generator, to find what it does not draw.

    python benchmarks/generator_coverage.py FOLDER ... [--pictures 400] [--seed 0]

Each folder has ``images/`` and ``masks/`` (boundary 255). Real pictures are analysed in parts of 256 × 256
px, the size of the stream's pictures. For each property, the table gives the share of the synthetic pictures
with a smaller value, for the lowest, the median and the highest value of a folder's parts. Near 0 or 1, the
generator draws hardly any such pictures. The last row takes all properties together, each in standard
deviations of the synthetic pictures: the share of synthetic pictures whose nearest neighbour is closer than
that of a part.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import cKDTree

from grainseg.grains.closing.partition import partition_mask
from grainseg.micrograph.checks.appearance import appearance
from grainseg.micrograph.files import read_mask_values, read_micrograph
from grainseg.micrograph.image import BOUNDARY, BoolMask, FloatImage
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.wide.generator import generate_wide

SIDE_PX = 256
BESIDE_PX = (2, 6)
"""Distances from a label's line: where the grain proper begins, and where the zone beside the line ends."""


def properties(unit: FloatImage, line: BoolMask) -> dict[str, float]:
    """Properties that distinguish one kind of micrograph from another.

    Args:
        unit: (H, W) float32 in the unit range.
        line: (H, W), the label's boundaries.
    """
    grains = partition_mask(line).grains.ravel()
    away = cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    beside = (away >= BESIDE_PX[0]) & (away <= BESIDE_PX[1])
    inside = away.ravel() >= BESIDE_PX[0]
    area = np.bincount(grains[inside], minlength=grains.max() + 1)
    seen = area > 0
    mean = np.bincount(grains[inside], unit.ravel()[inside], minlength=area.size)[seen] / area[seen]
    square = np.bincount(grains[inside], unit.ravel()[inside] ** 2, minlength=area.size)[seen] / area[seen]
    return {
        **appearance(unit[:, :, None]),
        "line less grains": float(np.median(unit[line]) - np.median(unit[beside])),
        "between grains": float(mean.std()),
        "within grains": float(np.sqrt(np.maximum(square - mean**2, 0)).mean()),
        "grain size, px": float(np.sqrt(unit.size / grains.max())),
    }


def real(folder: Path) -> Iterator[dict[str, float]]:
    for path in sorted((folder / "images").iterdir()):
        unit = to_unit_range(read_micrograph(path).pixels)
        line = read_mask_values(folder / "masks" / f"{path.stem}.png") == 255
        for row in range(0, unit.shape[0] - SIDE_PX + 1, SIDE_PX):
            for column in range(0, unit.shape[1] - SIDE_PX + 1, SIDE_PX):
                part = np.s_[row : row + SIDE_PX, column : column + SIDE_PX]
                if line[part].any() and not line[part].all():
                    yield properties(to_unit_range(unit[part]), line[part])


def drawn(count: int, seed: int) -> Iterator[dict[str, float]]:
    for number in range(seed, seed + count):
        made = generate_wide(number, (SIDE_PX, SIDE_PX))
        yield properties(to_unit_range(made.pixels), made.label == BOUNDARY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    synthetic = list(drawn(options.pictures, options.seed))
    names = list(synthetic[0])
    known = np.array([[each[name] for name in names] for each in synthetic])
    tree = cKDTree((known - known.mean(0)) / known.std(0))
    usual = np.sort(np.asarray(tree.query(tree.data, 2)[0])[:, 1])
    for folder in options.folders:
        found = np.array([[each[name] for name in names] for each in real(folder)])
        if not found.size:
            parser.error(
                f"{folder}: no part of {SIDE_PX} × {SIDE_PX} px with lines and grains in its pictures"
            )
        below = (known[None] < found[:, None]).mean(1)
        print(f"{folder.name}: {len(found)} parts")
        distance = tree.query((found - known.mean(0)) / known.std(0))[0]
        nearest = np.searchsorted(usual, distance) / usual.size
        for name, shares in [*zip(names, below.T, strict=True), ("all together", nearest)]:
            low, median, high = np.quantile(shares, (0, 0.5, 1))
            print(f"  {name:18} {low:.2f}  {median:.2f}  {high:.2f}", flush=True)


if __name__ == "__main__":
    main()
