"""What a steady hand could reach: a label against itself, its lines moved as somebody draws them.

    python benchmarks/label_ceiling.py MASK [MASK ...] [--predicted MASK ...]

Every boundary of the label is there, none is too much, and all are as wide; they only lie elsewhere by a
smooth random displacement (standard deviation in px along each axis, correlated over about 10 px). IoU and
boundary F1 of that bound what a network can have whose lines lie no better. ``--predicted`` names a
prediction for each mask, in the same order, and says how far its lines lie from the label's where both have
one: the root mean square of the distances of their middles up to 5 px.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grainseg.grains.agreement import BoundaryCounts, PixelScores, boundary_counts, pixel_scores, skeleton
from grainseg.micrograph.files import read_mask_values

Mask = npt.NDArray[np.bool_]

STEADY_PX = 10.0
MATCHED_PX = 5.0


def moved(label: Mask, sd_px: float, rng: np.random.Generator) -> Mask:
    """The label with its lines displaced."""
    rows, columns = np.indices(label.shape).astype(np.float32)
    shifts = [ndimage.gaussian_filter(rng.standard_normal(label.shape), STEADY_PX) for _ in range(2)]
    down, right = (sd_px * shift / shift.std() for shift in shifts)
    source = (columns + right).astype(np.float32), (rows + down).astype(np.float32)
    drawn = cv2.remap(label.astype(np.float32), *source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(drawn > 0.5, np.bool_)


def displacement_px(predicted: Mask, label: Mask) -> float:
    """Root mean square distance of the lines' middles, where the label has a line nearby."""
    to_label = ndimage.distance_transform_edt(~skeleton(label))
    distance = to_label[skeleton(predicted)]
    return float(np.sqrt((distance[distance <= MATCHED_PX] ** 2).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("masks", nargs="+", type=Path)
    parser.add_argument("--predicted", nargs="+", type=Path, default=[])
    arguments = parser.parse_args()
    labels = [read_mask_values(path) == 255 for path in arguments.masks]
    for sd_px in (0.5, 1.0, 1.5, 2.0):
        rng = np.random.default_rng(0)
        lines, pixels, found = BoundaryCounts(), PixelScores(), []
        for label in labels:
            drawn, codes = moved(label, sd_px, rng), label.astype(np.uint8)
            lines, pixels = lines + boundary_counts(drawn, codes, 3.0), pixels + pixel_scores(drawn, codes)
            found.append(displacement_px(drawn, label))
        scores = f"IoU {pixels.iou:.3f}, F1 (3 px) {lines.f1:.3f}"
        print(f"moved by {sd_px} px: {scores}, lines {np.mean(found):.2f} px off")
    if arguments.predicted:
        pairs = zip(arguments.predicted, labels, strict=True)
        off = [displacement_px(read_mask_values(path) == 255, label) for path, label in pairs]
        print(f"predicted: lines {np.mean(off):.2f} px off")


if __name__ == "__main__":
    main()
