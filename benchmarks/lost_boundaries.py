"""How far boundaries lost by exposure move the labelled mean intercept, independent of any method.

    python benchmarks/lost_boundaries.py FOLDER --images 004_right 005_right [--reach 2 4]

``FOLDER`` holds ``images/`` and ``masks/`` (boundaries: 255). For the brighter exposures of the robustness
card, prints the drift of the label's mean intercept without the boundaries of which more than half is lost,
as a mean over the images. A place counts as lost if the picture is uniform there up to ``--reach`` px to all
sides. The card uses the width of the line.
"""

import argparse
from pathlib import Path
from statistics import mean

from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.grains.trust.lost_boundaries import without_lost_boundaries
from grainseg.micrograph.corruptions import CORRUPTIONS, Corruption, featureless_places
from grainseg.micrograph.files import read_mask_values, read_micrograph
from grainseg.micrograph.normalization import to_unit_range


def lost_drift(folder: Path, stem: str, exposure: Corruption, reach_px: int) -> float:
    label = (read_mask_values(folder / "masks" / f"{stem}.png") == 255).astype("uint8")
    unit = to_unit_range(read_micrograph(folder / "images" / f"{stem}.png").pixels)
    picture = exposure.apply(unit.reshape(*label.shape, -1), seed=0)
    grains = label_grains(label)
    left = without_lost_boundaries(grains, featureless_places(picture, label.shape, reach_px))
    return mean_intercept_px(left) / mean_intercept_px(grains) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", nargs="+", required=True)
    parser.add_argument("--reach", nargs="+", type=int, default=[2, 4])
    arguments = parser.parse_args()
    print(f"| exposure | {' | '.join(f'{reach} px' for reach in arguments.reach)} |")
    print("|---|" + "---|" * len(arguments.reach))
    for exposure in CORRUPTIONS:
        if exposure.kind.name in ("gain", "offset") and exposure.variant == "brighter":
            drifts = [
                mean(lost_drift(arguments.folder, stem, exposure, reach) for stem in arguments.images)
                for reach in arguments.reach
            ]
            cells = " | ".join(f"{100 * drift:+.1f} %" for drift in drifts)
            print(f"| {exposure.kind.name} {exposure.strength} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
