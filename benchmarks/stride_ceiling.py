"""The best possible IoU of a network that draws its map on a coarser grid, as DeepLabV3+ does.

    python benchmarks/stride_ceiling.py MASK [MASK ...]

The label itself is averaged over squares of 2 or 4 px, enlarged again and thresholded at the best threshold.
No training can recover what is lost in this way. DeepLabV3+ decodes at a quarter of the resolution.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.grains.scoring.agreement import BoundaryCounts, boundary_counts, fit_threshold
from grainseg.micrograph.files import read_mask_values


def redrawn(label: npt.NDArray[np.uint8], stride: int) -> npt.NDArray[np.float32]:
    small_size = (label.shape[1] // stride, label.shape[0] // stride)
    small = cv2.resize(label.astype(np.float32), small_size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, label.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("masks", nargs="+", type=Path)
    masks = [read_mask_values(path) == 255 for path in parser.parse_args().masks]
    for stride in (2, 4):
        labels = [mask[: len(mask) // 4 * 4, : mask.shape[1] // 4 * 4].astype(np.uint8) for mask in masks]
        drawn = [redrawn(label, stride) for label in labels]
        threshold, iou = fit_threshold(drawn, labels)
        lines = (
            boundary_counts(np.asarray(image > threshold), label, 3.0)
            for image, label in zip(drawn, labels, strict=True)
        )
        f1 = sum(lines, BoundaryCounts()).f1
        print(f"stride {stride}: IoU at most {iou:.3f}, boundary F1 (3 px) {f1:.3f}")


if __name__ == "__main__":
    main()
