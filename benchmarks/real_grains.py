"""Grain sizes from predicted maps, compared with maps that a person drew, on real sets.

    python benchmarks/real_grains.py SOURCE IRON_CHECKPOINT [--synthetic SYNTHETIC_CHECKPOINT]

``SOURCE/iron`` holds ``images/``, ``masks/`` (lines) and ``labels/`` (grain ids, drawn at half the resolution
and enlarged by repeating pixels) of five consecutive sections; the network was trained on left halves
(``real_sets.py``), so the right halves are shown separately. ``SOURCE/nist/images/steel.png`` has 0.2252 µm
per px. The seeds of the synthetic pictures were not used for training or for any choice. Errors are predicted
over drawn, minus 1.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grainseg.data.images import network_unit
from grainseg.grains.batches.field_samples import field_sample
from grainseg.grains.batches.samples import weighted_percentiles
from grainseg.grains.closing.partition import partition_mask, partition_probability
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.scoring.agreement_regions import region_scores
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.files import read_mask_values, read_micrograph
from grainseg.micrograph.image import PixelSize
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import load_network

Grains = npt.NDArray[np.integer]
HALF = np.s_[:, 400:]
NIST = PixelSize(0.2252, 0.2252, "the set's description")


def predicted_grains(checkpoint: Path, pixels: npt.NDArray[np.float32]) -> Grains:
    spec, network = load_network(checkpoint)
    unit = network_unit(pixels, spec.in_channels)
    probability = predict_probability(network, unit, tile_settings(spec))
    return partition_probability(probability, spec.partition).grains


def d50(field: FieldMeasurement) -> float:
    sample = field_sample(field, "px")
    return float(weighted_percentiles(sample.diameters, sample.weights, [0.5])[0])


def errors(predicted: Grains, drawn: Grains) -> tuple[float, ...]:
    """Adapted Rand error; relative errors of count, mean intercept and D50 of maps of one size."""
    one, other = measure_field("", predicted, None), measure_field("", drawn, None)
    return (
        region_scores(predicted, drawn).adapted_rand_error,
        one.count / other.count - 1,
        one.mean_intercept_px / other.mean_intercept_px - 1,
        d50(one) / d50(other) - 1,
    )


def show(name: str, rows: list[tuple[float, ...]]) -> None:
    for label, row in [*((str(i + 1), row) for i, row in enumerate(rows)), ("mean", np.mean(rows, axis=0))]:
        are, *relative = row
        print(f"| {name} | {label} | {are:.3f} | " + " | ".join(f"{value:+.1%}" for value in relative) + " |")


def iron(source: Path, checkpoint: Path) -> None:
    from_lines, from_ids, halves = [], [], []
    for path in sorted((source / "images").glob("*.png")):
        predicted = predicted_grains(checkpoint, read_micrograph(path).pixels)
        drawn = partition_mask(np.asarray(read_mask_values(source / "masks" / path.name) > 0)).grains
        ids = read_mask_values(source / "labels" / path.name).astype(np.int64)
        from_lines.append(errors(predicted, drawn))
        from_ids.append(errors(predicted, ids))
        halves.append(errors(predicted[HALF], drawn[HALF]))
    show("iron, whole, drawn lines", from_lines)
    show("iron, right halves, drawn lines", halves)
    show("iron, whole, grain ids", from_ids)


def nist(source: Path, checkpoint: Path) -> None:
    mask = np.asarray(read_mask_values(source / "masks" / "steel.png") > 0)
    drawn = partition_mask(mask)
    predicted = predicted_grains(checkpoint, read_micrograph(source / "images" / "steel.png").pixels)
    for name, grains in (("drawn", drawn.grains), ("predicted", predicted)):
        field = measure_field(name, grains, NIST)
        print(
            f"nist {name}: {field.count} grains, mean intercept {field.mean_intercept_px * 0.2252:.2f} µm, "
            f"G {field.g_intercept:.2f} (lines), {field.g_saltikov:.2f} (Saltikov)"
        )
    show("nist", [errors(predicted, drawn.grains)])


def synthetic(checkpoint: Path) -> None:
    rows = []
    for seed in range(5, 10):
        field = generate(seed, (512, 512))
        rows.append(errors(predicted_grains(checkpoint, field.pixels), field.grains))
    show("synthetic", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("iron_checkpoint", type=Path)
    parser.add_argument("--synthetic", type=Path)
    arguments = parser.parse_args()
    print("| set | field | ARE | count | mean intercept | D50 |\n|---|---|---|---|---|---|")
    iron(arguments.source / "iron", arguments.iron_checkpoint)
    nist(arguments.source / "nist", arguments.iron_checkpoint)
    if arguments.synthetic is not None:
        synthetic(arguments.synthetic)
