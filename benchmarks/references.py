"""Tune and score the classical references on folders made by ``real_sets.py``, with the networks' split.

    python benchmarks/references.py FOLDER OUTPUT [--sets synthetic iron tbm] [--nist SOURCE/nist]

Calls ``grainseg baseline`` once per set and prints the scores on the test pictures, which were not used for
any choice. With ``--nist``, the references tuned on iron are also tested on that picture of another steel, as
is done with networks. The grains' errors are those of the partition fitted to the validation picture.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from architectures import SPLITS
from real_sets import view, without

COLUMNS = {
    "iou": "test IoU",
    "boundary_f1": "test F1 (3 px)",
    "iou_fitted": "IoU, threshold fitted",
    "are_fitted": "adapted Rand error",
    "grain_count_error_fitted": "grain count error",
    "intercept_error_fitted": "intercept error",
}


def tuned(data: Path, output: Path, val: str, test: str) -> None:
    named = [f"--val={stem}" for stem in val.split(",")] + [f"--test={stem}" for stem in test.split(",")]
    command = [sys.executable, "-m", "grainseg.cli", "baseline", str(data), "--output", str(output), *named]
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--sets", nargs="+", default=["synthetic", "iron", "tbm"], choices=SPLITS)
    parser.add_argument("--nist", type=Path, help="the data folder of nist")
    arguments = parser.parse_args()
    rows = []
    for name in [*arguments.sets, *(["nist"] if arguments.nist else [])]:
        tuned_on = "iron" if name == "nist" else name
        source = arguments.folder / tuned_on
        val, test, unused = SPLITS[tuned_on]
        data = arguments.output / "data" / name
        if name == "nist":
            pictures = [path.stem for path in (arguments.nist / "images").iterdir()]
            unused, test = f"{unused},{test}", ",".join(pictures)
            view(arguments.nist, data, pictures)
        view(source, data, without(source, unused))
        tuned(data, arguments.output / name, val, test)
        for method in ("ridge", "forest"):
            text = (arguments.output / name / method / "metrics.json").read_text(encoding="utf-8")
            metrics: dict[str, float] = json.loads(text)
            scores = " | ".join(f"{metrics[f'test/{key}']:.3f}" for key in COLUMNS)
            rows.append(f"| {name} | {method} | {scores} | {metrics['train/seconds']:.0f} s |")
    print(f"| set | method | {' | '.join(COLUMNS.values())} | tuning |")
    print("|---" * (len(COLUMNS) + 3) + "|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
