"""Does a network learn more from the images that ``grainseg suggest`` ranks first than from the last ones?

    python benchmarks/next_labels.py FOLDER RUNS CHECKPOINT [--seeds 0 1]

Uses the set tbm of ``real_sets.py``. ``CHECKPOINT`` is a network of the default recipe that was trained on
four crops of m21 (``five_labels.py``). It ranks the ten crops that it has not seen. The first three, or the
last three, are added to its labels, and the network is trained again. The crops ranked in between are the
test pictures; no network is trained on them.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

from architectures import TBM_TEST
from finetuning import KEYS, SPLITS, score
from five_labels import row, train
from real_sets import view, without

ADDED = 3


def ranked(pool: Path, checkpoint: Path, output: Path) -> list[str]:
    """The pool's stems, the image to label first in front."""
    command = ["suggest", f"{pool / 'images'}", "--checkpoint", f"{checkpoint}", "--output", f"{output}"]
    subprocess.run([sys.executable, "-m", "grainseg.cli", *command], check=True, stdout=subprocess.DEVNULL)
    with (output / "suggested_images.csv").open(encoding="utf-8", newline="") as file:
        return [Path(each["image"]).stem for each in csv.DictReader(file)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    arguments = parser.parse_args()
    runs, source = arguments.runs, arguments.folder / "tbm"
    unseen = TBM_TEST.split(",")
    order = ranked(view(source, runs / "data" / "unseen", unseen), arguments.checkpoint, runs / "ranked")
    tests = view(source, runs / "data" / "test", order[ADDED:-ADDED])
    val = SPLITS["tbm"][0]
    print(f"ranked: {', '.join(order)}\n| added | {' | '.join(KEYS)} |\n|---|" + "---|" * len(KEYS))
    for title, added in (("none", []), ("first", order[:ADDED]), ("last", order[-ADDED:])):
        data = view(source, runs / "data" / title, {*without(source, TBM_TEST), *added})
        scores = [
            score(
                tests,
                runs / "out" / f"{title}_{seed}",
                train(data, runs / f"{title}_{seed}", val, "default", seed),
            )
            for seed in arguments.seeds
        ]
        print(row(title, scores), flush=True)


if __name__ == "__main__":
    main()
