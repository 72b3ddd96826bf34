r"""Choose the partition of weights that ship on real pictures, and write their file.

    python benchmarks/ship_weights.py FOLDER CHECKPOINT
    python benchmarks/ship_weights.py FOLDER CHECKPOINT --partition 0.6 0.3 0.15 --intercept-px 35 \
        --steps-before 2560 --write grainseg/weights/unet_resnet18.safetensors

``FOLDER`` is made by ``real_sets.py``. Synthetic pictures have boundaries where none can be seen, so a
partition chosen by their validation finds too many grains. This script uses iron's right halves of 1-3 and
five crops of tbm's m21; no figure is reported for the former, and the latter train and validate.
``--steps-before`` is the number of steps of the weights that the run started from.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

from architectures import TBM_TEST

from grainseg.data.images import network_unit
from grainseg.grains.closing.partition import PartitionSettings, partition_probability
from grainseg.grains.labels.label_files import read_label
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.grains.scoring.agreement_regions import RegionScores, region_scores
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.files import read_micrograph
from grainseg.micrograph.image import FloatImage, Label
from grainseg.micrograph.labels import LabelSpec
from grainseg.model.checkpoint import load_network
from grainseg.model.weights_file import write_weights

Values = tuple[float, float, float]
"""Threshold, depth and support of a partition."""

GRID: tuple[Values, ...] = tuple(product((0.4, 0.5, 0.6, 0.7), (0.2, 0.3, 0.4), (0.1, 0.15, 0.2)))
MIN_SIZE = 0.002


def pictures(folder: Path) -> dict[str, list[tuple[FloatImage, GrainIds]]]:
    """Pictures in the unit range and the grains of their labels, by set."""
    tested = set(TBM_TEST.split(","))
    crops = sorted(path.stem for path in (folder / "tbm" / "images").glob("m21-*") if path.stem not in tested)
    found: dict[str, list[tuple[FloatImage, GrainIds]]] = {}
    for name, stems in (("iron", [f"00{each}_right" for each in (1, 2, 3)]), ("tbm", crops)):
        for stem in stems:
            picture = read_micrograph(next((folder / name / "images").glob(f"{stem}.*")), 100)
            mask = next((folder / name / "masks").glob(f"{stem}.*"))
            label: Label = read_label(mask, picture.shape, LabelSpec(), 100)
            unit = network_unit(picture.pixels, 1)
            found.setdefault(name, []).append((unit, label_grains(label)))
    return found


def settings_of(values: Values) -> PartitionSettings:
    threshold, depth, support = values
    return PartitionSettings(threshold, depth, support, MIN_SIZE)


def scores(
    maps: Sequence[tuple[FloatImage, GrainIds]], settings: PartitionSettings
) -> tuple[float, float, float]:
    """Adapted Rand error, and signed errors of count and mean intercept, of a set's pictures together."""
    each = [region_scores(partition_probability(found, settings).grains, label) for found, label in maps]
    total: RegionScores = each[0]
    for one in each[1:]:
        total = total + one
    return total.adapted_rand_error, total.signed_count_error, total.signed_intercept_error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--partition", nargs=3, type=float, metavar=("THRESHOLD", "DEPTH", "SUPPORT"), default=None
    )
    parser.add_argument("--intercept-px", type=float)
    parser.add_argument("--steps-before", type=int, default=0)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    spec, network = load_network(arguments.checkpoint)
    maps = {
        name: [(predict_probability(network, unit, tile_settings(spec)), label) for unit, label in of_set]
        for name, of_set in pictures(arguments.folder).items()
    }
    print(f"| threshold, depth, support | {' | '.join(maps)} | sum |")
    said: Values | None = None if arguments.partition is None else tuple(arguments.partition)
    for values in GRID if said is None else [said]:
        found = [scores(each, settings_of(values)) for each in maps.values()]
        cells = [f"{rand:.3f}, {count:+.2f}, {intercept:+.2f}" for rand, count, intercept in found]
        total = sum(rand + abs(count) for rand, count, _ in found)
        print(f"| {values} | {' | '.join(cells)} | {total:.3f} |", flush=True)
    if arguments.write is not None:
        settings = spec.partition if said is None else settings_of(said)
        spec = replace(
            spec,
            partition=settings,
            intercept_px=arguments.intercept_px,
            steps=spec.steps + arguments.steps_before,
        )
        write_weights(arguments.write, asdict(spec), network.state_dict())


if __name__ == "__main__":
    main()
