"""Fit the constants of the doubt (``grainseg.grains.trust.doubt``), and correlate its rank with the error.

    python benchmarks/trust.py measure SETS CELLS --checkpoint PATH --images set/stem … [--seed N]
    python benchmarks/trust.py fit CELLS … [--evaluate CELLS …]
    python benchmarks/trust.py evaluate CELLS …
    python benchmarks/trust.py reference --pictures N

``measure`` appends scores and signs to a file of JSON lines, for each cell of the images' robustness card
(their first 400 × 400 px; ``wide/7`` is a picture of the wide generator). ``fit`` prints the constants and
the rank correlations; it fits the IoU lost relative to the untouched picture. ``evaluate`` prints the rank
correlations for the constants of the package. ``reference`` prints the values that represent the training of
the network that ships, from patches of its stream and plain synthetic fields.
"""

import argparse
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pretraining import configuration
from scipy.optimize import minimize
from scipy.stats import spearmanr

from grainseg.config import LabelledFolderConfig, StreamDataConfig
from grainseg.data.images import LabelledMicrograph, network_unit, read_labelled
from grainseg.data.stream import open_stream
from grainseg.grains.closing.partition import partition_or_none
from grainseg.grains.trust.doubt import (
    BIAS,
    DEFAULT_REFERENCE,
    FLAG_ABOVE,
    WEIGHTS,
    deviations,
    make_reference,
    prediction_signs,
)
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.checks.appearance import appearance
from grainseg.micrograph.corruptions import CORRUPTIONS, LEVELS
from grainseg.micrograph.folders.folder import list_folder
from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.synthetic import generate
from grainseg.micrograph.wide.generator import generate_wide
from grainseg.model.checkpoint import load_network
from grainseg.model.generic import default_checkpoint
from grainseg.pipeline.card.robustness_methods import Truth, network_method, score_picture

SIDE_PX = 400
LOST = 0.15
Row = dict[str, Any]


def named_image(sets: Path, name: str, channels: int) -> LabelledMicrograph:
    folder, _, stem = name.partition("/")
    if folder == "wide":
        made = generate_wide(int(stem), (SIDE_PX, SIDE_PX))
        return LabelledMicrograph(stem, network_unit(made.pixels, channels), made.label, 3.0)
    config = LabelledFolderConfig(
        label_kind="boundary", boundary_value=255, ignore_value=None, label_width_px=None, zero=None,
        max_megapixels=500.0, root=str(sets / folder), val=None, test=None, fold=None, folds=None, crop=None,
    )  # fmt: skip
    item = list_folder(sets / folder).by_stem[stem]
    image, part = read_labelled(item, config, channels), (slice(SIDE_PX), slice(SIDE_PX))
    return replace(image, unit=to_unit_range(image.unit[part]), label=image.label[part].copy())


def already_found(probability: FloatImage, _unit: FloatImage) -> FloatImage:
    return probability


def measure(arguments: argparse.Namespace) -> None:
    spec, network = load_network(arguments.checkpoint)
    method = network_method(spec, [network], "cpu")
    with arguments.cells.open("a", encoding="utf-8") as file:
        for name in arguments.images:
            image = named_image(arguments.sets, name, spec.in_channels)
            truth = Truth(image)
            for corruption in (None, *(each for each in CORRUPTIONS if each.level != LEVELS[0])):
                picture = image.unit
                if corruption is not None:
                    picture = corruption.apply(picture, zlib.crc32(f"{arguments.seed}/{name}".encode()))
                unit = picture if corruption is None else to_unit_range(picture)
                found = method.probability(unit)
                known = replace(method, probability=partial(already_found, found))
                scores = score_picture(known, picture, truth, corruption is not None, 3.0)
                reference = spec.doubt_reference or DEFAULT_REFERENCE
                row = {
                    "image": name,
                    "corruption": "" if corruption is None else f"{corruption.title} {corruption.level}",
                    "iou": scores.iou,
                    "f1": scores.boundary_f1,
                    "count_error": abs(scores.signed_count_error),
                    "signs": {
                        **appearance(unit),
                        **prediction_signs(found, partition_or_none(found, spec.partition)),
                    },
                    "reference": reference,
                }
                file.write(json.dumps(row) + "\n")
            file.flush()


def read_cells(paths: Sequence[Path]) -> list[Row]:
    cells = []
    for path in paths:
        rows: list[Row] = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
        clean = {row["image"]: row["iou"] for row in rows if not row["corruption"]}
        for row in rows:
            row["lost"] = 1 - row["iou"] / clean[row["image"]]
            row["error"] = 1 - row["f1"]
        cells += rows
    return cells


def inputs(rows: Sequence[Row]) -> np.ndarray:
    found = [deviations(row["signs"], row["reference"]) for row in rows]
    return np.array([[each[name] for name in WEIGHTS] for each in found])


def score(constants: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(constants[0] + x @ constants[1:]))))


def fit(arguments: argparse.Namespace) -> None:
    """Fit a fractional logit (Papke & Wooldridge 1996, J. Appl. Econometrics 11:619), no weight below 0."""
    rows = read_cells(arguments.cells)
    x, lost = inputs(rows), np.clip([row["lost"] for row in rows], 0, 1)

    def misfit(constants: np.ndarray) -> float:
        found = np.clip(score(constants, x), 1e-6, 1 - 1e-6)
        entropy = -np.mean(lost * np.log(found) + (1 - lost) * np.log(1 - found))
        return float(entropy + 1e-3 * np.mean(constants[1:] ** 2))

    start = np.array([-3.0, *[0.2] * len(WEIGHTS)])
    constants = minimize(misfit, start, bounds=[(None, None), *[(0.0, None)] * len(WEIGHTS)]).x.round(2)
    print("bias", constants[0], dict(zip(WEIGHTS, constants[1:].tolist(), strict=True)))
    found = score(constants, x)
    limits = (limit for limit in np.arange(0.02, 0.6, 0.01) if np.mean(lost[found > limit] > LOST) >= 0.5)
    limit = float(next(limits))
    print(f"flag above {limit:.2f}: {np.mean(found > limit):.0%} of the cells")
    for title, paths in (("fitted", arguments.cells), ("evaluated", arguments.evaluate)):
        report_files(title, paths, constants, limit)


def evaluate(arguments: argparse.Namespace) -> None:
    report_files("evaluated", arguments.cells, np.array([BIAS, *WEIGHTS.values()]), FLAG_ABOVE)


def report_files(title: str, paths: Sequence[Path], constants: np.ndarray, limit: float) -> None:
    for path in paths:
        report(f"{title}, {path.stem}", read_cells([path]), constants, limit)
    if paths:
        report_some(f"{title}, pooled", read_cells(paths), constants, limit)


def report(title: str, rows: Sequence[Row], constants: np.ndarray, limit: float) -> None:
    for name in sorted({row["image"].partition("/")[0] for row in rows}):
        some = [row for row in rows if row["image"].startswith(f"{name}/")]
        report_some(f"{title}, {name}", some, constants, limit)


def report_some(title: str, rows: Sequence[Row], constants: np.ndarray, limit: float) -> None:
    found = score(constants, inputs(rows))
    ranks = [spearmanr(found, [row[key] for row in rows])[0] for key in ("lost", "error", "count_error")]
    flagged = found > limit
    bad = np.array([row["lost"] > LOST for row in rows])
    clean = np.array([not row["corruption"] for row in rows])
    shown = f"IoU lost {ranks[0]:.2f}, 1 - F1 {ranks[1]:.2f}, grain count error {ranks[2]:.2f}"
    print(f"{title}: {len(rows)} cells; Spearman with {shown}")
    print(
        f"  flagged: {(flagged & bad).sum()} of {bad.sum()} that lost more than {LOST:.0%}, "
        f"{(flagged & ~bad).sum()} of {(~bad).sum()} others, {(flagged & clean).sum()} of {clean.sum()} "
        f"untouched (doubt {found[clean].min():.2f} to {found[clean].max():.2f})"
    )


def stream_pictures(count: int) -> Iterator[np.ndarray]:
    config = configuration([])
    assert isinstance(config.data, StreamDataConfig)
    data = open_stream(config.data, config.augment, config.model.in_channels, config.seed)
    for number in range(count):
        yield data.patches[number][0].numpy().transpose(1, 2, 0)


def reference(arguments: argparse.Namespace) -> None:
    spec, network = load_network(default_checkpoint())
    tiles = tile_settings(spec)
    appearances = [appearance(unit) for unit in stream_pictures(arguments.pictures)]
    predictions = []
    for seed in range(1000, 1020):
        unit = network_unit(generate(seed, (SIDE_PX, SIDE_PX)).pixels, spec.in_channels)
        found = predict_probability(network, unit, tiles)
        predictions.append(prediction_signs(found, partition_or_none(found, spec.partition)))
    for name, (mean, sd) in make_reference(appearances, predictions).items():
        print(f"    {name}: ({mean:.3f}, {sd:.3f}),")


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("measure")
    one.set_defaults(run=measure)
    one.add_argument("sets", type=Path)
    one.add_argument("cells", type=Path)
    one.add_argument("--checkpoint", type=Path, required=True)
    one.add_argument("--images", nargs="+", required=True)
    one.add_argument("--seed", type=int, default=0)
    two = commands.add_parser("fit")
    two.set_defaults(run=fit)
    two.add_argument("cells", nargs="+", type=Path)
    two.add_argument("--evaluate", nargs="+", type=Path, default=[])
    three = commands.add_parser("evaluate")
    three.set_defaults(run=evaluate)
    three.add_argument("cells", nargs="+", type=Path)
    four = commands.add_parser("reference")
    four.set_defaults(run=reference)
    four.add_argument("--pictures", type=int, default=160)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
