"""The gain from ``scale=grain_size`` where grains are larger or smaller than in training.

Labelled pictures and their grains are shrunk and enlarged, and predicted with and without this setting. At
each size, lines of 3 px are drawn again between the grains, so that the tolerance has the same meaning for
both.

The tolerance of F1 is 3 px; "error" is that of the mean intercept; null and grain_size are the two settings.

    python benchmarks/scale.py FOLDER [--stems A B …] [--checkpoint PATH] [--magnifications 0.25 0.5 1 2]
    python benchmarks/scale.py --synthetic 901 902 903      # fields of these seeds
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grainseg.data.images import network_unit
from grainseg.grains.closing.partition import partition_or_none
from grainseg.grains.labels.label_files import read_label
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.grains.scoring.agreement import boundary_counts
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.inference.scale import on_grid, predict_at_estimate, resample, resampled_shape
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.files import read_micrograph
from grainseg.micrograph.folders.folder import list_folder
from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.labels import LabelSpec
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import load_network
from grainseg.model.generic import default_checkpoint

GrainMap = npt.NDArray[np.uint32]


def fields(arguments: argparse.Namespace) -> Iterator[tuple[FloatImage, GrainMap]]:
    """Pictures (H, W) or (H, W, 3), and their true grains."""
    for seed in arguments.synthetic:
        made = generate(seed, (512, 512))
        yield made.pixels, label_grains(made.label)
    for item in list_folder(arguments.folder).labelled if arguments.folder else ():
        if not arguments.stems or item.stem in arguments.stems:
            pixels = read_micrograph(item.image).pixels
            label = read_label(item.mask, (pixels.shape[0], pixels.shape[1]), LabelSpec())
            yield pixels, label_grains(label)


def magnified(unit: FloatImage, grains: GrainMap, by: float) -> tuple[FloatImage, GrainMap]:
    """Picture (H, W, C) and grains of another magnification."""
    shape = resampled_shape((unit.shape[0], unit.shape[1]), (by, by))
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(shape, unit.shape[:2], strict=True)
    )
    return to_unit_range(resample(unit, shape)), grains[rows][:, columns]


def main() -> None:
    """Print a row per magnification and method: means over the fields."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--stems", nargs="*", default=[])
    parser.add_argument("--synthetic", type=int, nargs="*", default=[])
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--intercept-px", type=float, help="grain size to use in place of the checkpoint's")
    parser.add_argument("--magnifications", type=float, nargs="*", default=[0.25, 0.5, 1.0, 2.0])
    arguments = parser.parse_args()
    spec, network = load_network(arguments.checkpoint or default_checkpoint())
    spec = replace(spec, intercept_px=arguments.intercept_px or spec.intercept_px)
    assert spec.intercept_px is not None
    tiles = tile_settings(spec)

    def predict(unit: FloatImage) -> FloatImage:
        return predict_probability(network, unit, tiles)

    def intercept_px(probability: FloatImage) -> float | None:
        partition = partition_or_none(probability, spec.partition)
        mean = math.nan if partition is None else mean_intercept_px(partition.grains)
        return mean if math.isfinite(mean) else None

    print(f"mean intercept of the training: {spec.intercept_px:.1f} px")
    print("| shown at | mean intercept | factor | F1 null | F1 grain_size | error null | error grain_size |")
    print("|---|---|---|---|---|---|---|")
    pictures = [(network_unit(pixels, spec.in_channels), grains) for pixels, grains in fields(arguments)]
    for by in arguments.magnifications:
        rows = []
        for whole, whole_grains in pictures:
            unit, grains = magnified(whole, whole_grains, by)
            truth, label = mean_intercept_px(grains), boundary_lines(grains.astype(np.int32), 3)
            estimate = predict_at_estimate(predict, unit, spec.intercept_px, intercept_px)
            row = [truth, estimate.factor]
            for probability in (predict(unit), on_grid(estimate.probability, label.shape)):
                found = intercept_px(probability) or math.nan
                row += [boundary_counts(probability > spec.threshold, label, 3.0).f1, abs(found / truth - 1)]
            rows.append(row)
        truth, factor, f1, error, scaled_f1, scaled_error = np.mean(rows, axis=0)
        print(
            f"| × {by:g} | {truth:.1f} px | {factor:.2f} | {f1:.3f} | {scaled_f1:.3f} "
            f"| {error:.3f} | {scaled_error:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
