"""Scores with five labelled images: without a label, from scratch, with the default and with the best recipe.

    python benchmarks/five_labels.py SOURCE FOLDER RUNS [--seeds 0 1 2] [--sets iron tbm]
    python benchmarks/five_labels.py SOURCE FOLDER RUNS --recipes best
    python benchmarks/five_labels.py SOURCE FOLDER RUNS --recipes unetplusplus deeplabv3plus

``FOLDER`` is made from ``SOURCE`` by ``real_sets.py``. Four images train, and a fifth chooses the checkpoint
(``best``: each image chooses that of the network trained on the others). All five choose the partition. The
test images choose nothing. The network trained on iron also predicts ``SOURCE/nist``. A run that already
exists is not repeated. Scores are those of ``predict.py``, over all pixels of the test images, as mean and
standard deviation over the seeds.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from architectures import ROOT, summary
from finetuning import KEYS, SPLITS, score
from real_sets import view, without

RECIPES = {
    "scratch": ("model.init=scratch", "augment=light", "data.label_offset=null"),
    "default": (),
    "views": ("inference.tta=d4",),
    "best": ("experiment=best",),
    "unetplusplus": ("model=unetplusplus",),
    "deeplabv3plus": ("model=deeplabv3plus",),
}


def train(data: Path, run: Path, val: str, recipe: str, seed: int) -> Path:
    if not (run / "metrics.json").exists():
        overrides = [
            "data=folder",
            f"data.root={data}",
            f"seed={seed}",
            *RECIPES[recipe],
            "callbacks.progress_bar=false",
            "logger=none",
            f"hydra.run.dir={run}",
            *([] if recipe == "best" else [f"data.val=[{val}]"]),
        ]
        subprocess.run([sys.executable, ROOT / "train.py", *overrides], check=True)
    return run / "checkpoints" / "best.ckpt"


def row(title: str, scores: Sequence[dict[str, float]]) -> str:
    return f"| {title} | {' | '.join(summary([each[key] for each in scores]) for key in KEYS)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SPLITS), choices=SPLITS)
    parser.add_argument("--recipes", nargs="+", default=["scratch", "default"], choices=RECIPES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    runs: Path = arguments.runs
    print(f"| tested on, by | {' | '.join(KEYS)} |\n|---|" + "---|" * len(KEYS))
    for name in arguments.sets:
        source, (val, chose_recipe, tested) = arguments.folder / name, SPLITS[name]
        data = view(source, runs / "data" / name, without(source, f"{chose_recipe},{tested}"))
        tests = {name: view(source, runs / "data" / f"{name}_test", tested.split(","))}
        if name == "iron":
            tests["nist"] = arguments.source / "nist"
        for recipe in (None, *arguments.recipes):
            seeds = arguments.seeds if recipe else [0]
            checkpoints = {
                seed: train(data, runs / f"{name}_{recipe}_{seed}", val, recipe, seed) if recipe else None
                for seed in seeds
            }
            for tested_on, pictures in tests.items():
                for tta in ("d4",) if recipe == "views" else ("none", "d4"):
                    scores = [
                        score(
                            pictures,
                            runs / "out" / f"{tested_on}_{recipe}_{seed}_{tta}",
                            checkpoint,
                            f"tta={tta}",
                        )
                        for seed, checkpoint in checkpoints.items()
                    ]
                    print(row(f"{tested_on}, {recipe or 'no label'}, tta={tta}", scores), flush=True)


if __name__ == "__main__":
    main()
