"""Does the disagreement by which ``grainseg suggest`` ranks correlate with the true error?

    python benchmarks/suggest.py DATA_ROOT [--checkpoint PATH] [--window-px 128]

Prints Spearman's rank correlations with 1 - F1 (3 px) and 1 - IoU, over the labelled images of a folder and
over their regions. They are given for the mean disagreement in the band around the predicted boundary, in the
whole picture and in the pixels that may be boundary, for the entropy of the mean probability in that band,
and for the doubt.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from grainseg.config import LabelledFolderConfig
from grainseg.data.images import read_labelled
from grainseg.grains.closing.partition import partition_or_none
from grainseg.grains.scoring.agreement import boundary_counts, pixel_scores
from grainseg.grains.trust.doubt import doubt_of
from grainseg.grains.trust.suggestion import boundary_band, disagreement, regions_of
from grainseg.inference.ensemble import predict_members
from grainseg.inference.predictor import tile_settings
from grainseg.micrograph.folders.folder import list_folder
from grainseg.model.ensemble import load_networks
from grainseg.model.generic import default_checkpoint

TOLERANCE_PX = 3.0
UNLIKELY = 0.2


def entropy(probability: np.ndarray) -> np.ndarray:
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(-p * np.log(p) - (1 - p) * np.log(1 - p))


def measures(probability: np.ndarray, spread: np.ndarray, band: np.ndarray) -> dict[str, float]:
    possible = probability > UNLIKELY
    return {
        "band": disagreement(spread, band),
        "whole": float(spread.mean()),
        "possible": float(spread[possible].mean()) if possible.any() else 0.0,
        "entropy of the band": float(entropy(probability)[band].mean()) if band.any() else 0.0,
    }


def errors(mask: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    return 1 - boundary_counts(mask, label, TOLERANCE_PX).f1, 1 - pixel_scores(mask, label).iou


def report(title: str, found: Sequence[tuple[Mapping[str, float], tuple[float, float]]]) -> None:
    for name in found[0][0]:
        ranks = [
            spearmanr([signs[name] for signs, _ in found], [error[which] for _, error in found])[0]
            for which in (0, 1)
        ]
        print(f"{title} ({len(found)}), {name}: 1 - F1 {ranks[0]:.2f}, 1 - IoU {ranks[1]:.2f}")


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=default_checkpoint())
    parser.add_argument("--window-px", type=int, default=128)
    arguments = parser.parse_args()
    config = LabelledFolderConfig(
        label_kind="boundary", boundary_value=255, ignore_value=None, label_width_px=None, zero=None,
        max_megapixels=500.0, root=str(arguments.root), val=None, test=None, fold=None, folds=None, crop=None,
    )  # fmt: skip
    spec, networks = load_networks(arguments.checkpoint)
    images, regions = [], []
    for item in list_folder(arguments.root).labelled:
        image = read_labelled(item, config, spec.in_channels)
        tiles = replace(tile_settings(spec), views=8 if len(networks) == 1 else 1)
        forecast = predict_members(networks, image.unit, tiles)
        assert forecast.spread is not None
        probability, spread = forecast.probability, forecast.spread
        mask, band = probability > spec.threshold, boundary_band(probability, spec.threshold)
        doubt = doubt_of(
            image.unit, probability, partition_or_none(probability, spec.partition), spec.doubt_reference
        )
        found = measures(probability, spread, band) | {"doubt": doubt.score}
        images.append((found, errors(mask, image.label)))
        for region in regions_of(image.stem, spread, band, arguments.window_px):
            part = region.place
            found = measures(probability[part], spread[part], band[part])
            regions.append((found, errors(mask[part], image.label[part])))
    report("images", images)
    report("regions", regions)


if __name__ == "__main__":
    main()
