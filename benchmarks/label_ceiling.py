"""Scores of a label against itself with displaced lines, as if it had been drawn again by hand.

    python benchmarks/label_ceiling.py MASK [MASK ...] [--predicted MASK ... [--predicted MASK ...]]

No boundary of the label is missing, none is added, and all keep their width; they are only moved by a smooth
random displacement (standard deviation in px along each axis, correlated over about 10 px). The resulting IoU
and boundary F1 are upper bounds for a network whose lines are placed no more accurately. ``--predicted``
names a prediction for each mask, in the same order, and prints how far its lines lie from the label's where
both have one: the root mean square of the distances between their middles, up to 5 px.

With two predictions whose errors are independent (``--predicted`` given twice), the three distances yield how
far each of the three lies from the boundary itself: the three-cornered hat of Gray and Allan 1974
(https://doi.org/10.1109/FREQ.1974.200027). Errors that both predictions share are attributed to the label, so
that networks with a common start overstate the label's error.
"""

import argparse
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grainseg.grains.scoring.agreement import BoundaryCounts, PixelScores, boundary_counts, pixel_scores
from grainseg.micrograph.files import read_mask_values
from grainseg.micrograph.morphology import skeleton

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


def apart_px2(first: Sequence[Mask], second: Sequence[Mask]) -> float:
    """Mean square distance of two sets of lines, of either from the other, over the pictures."""
    pairs = [pair for a, b in zip(first, second, strict=True) for pair in ((a, b), (b, a))]
    return float(np.mean([displacement_px(*pair) ** 2 for pair in pairs]))


def of_each_px(three: Sequence[Sequence[Mask]]) -> list[float]:
    """How far each of three independent drawings lies from the common boundary (nan: undetermined)."""
    apart = {pair: apart_px2(three[pair[0]], three[pair[1]]) for pair in combinations(range(3), 2)}
    own = [sum(d if one in pair else -d for pair, d in apart.items()) / 2 for one in range(3)]
    return [float(np.sqrt(square)) if square >= 0 else float("nan") for square in own]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("masks", nargs="+", type=Path)
    parser.add_argument("--predicted", nargs="+", type=Path, default=[], action="append")
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
    predicted = [[read_mask_values(path) == 255 for path in paths] for paths in arguments.predicted]
    for masks in predicted:
        off = [displacement_px(mask, label) for mask, label in zip(masks, labels, strict=True)]
        print(f"predicted: lines {np.mean(off):.2f} px off")
    if len(predicted) == 2:
        label_px, first_px, second_px = of_each_px([labels, *predicted])
        print(f"off the boundary: label {label_px:.2f} px, predictions {first_px:.2f} px, {second_px:.2f} px")


if __name__ == "__main__":
    main()
