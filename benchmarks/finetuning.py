"""Compare variants of the recipe for five labelled images, on pictures that are not used for reported scores.

    python benchmarks/finetuning.py FOLDER RUNS [--variants NAME …] [--sets iron] [--seeds 0]

``FOLDER`` is made by ``real_sets.py``. On iron the left halves of 1-4 train, the left half of 5 chooses the
checkpoint, and the right halves of 1-3 choose the recipe. On tbm four crops of m21 train and a fifth chooses
checkpoint and recipe. The last columns show how much is unlearnt of other materials: iron's network predicts
tbm's crop, and tbm's network the right halves of iron. One process per run; a run that already exists is not
repeated.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from architectures import ROOT, TBM_TEST, summary
from real_sets import view, without

VARIANTS: dict[str, tuple[str, ...]] = {
    "the default": (),
    "light": ("augment=light",),
    "no generic share": ("model.generic_share=0",),
    "skeleton recall": ("loss=bce_dice_skeleton",),
    "clDice": ("loss=bce_cldice",),
    "encoder frozen": ("optimizer.encoder_lr_factor=0",),
    "labels as they lie": ("data.label_offset=null",),
    "crops of 256 px": ("data.tile_size=256", "batch_size=3", "data.patches_per_epoch=120"),
    "scratch, light": ("model.init=scratch", "augment=light", "data.label_offset=null"),
}
"""Changes to the default recipe. Only eight, since with many variants one would win on a set by chance.
Fewer of the larger crops are used, so that a step sees as many pixels as a step of the default."""
# Validation pictures; pictures that test the variants; pictures left out, which test the chosen recipe.
SPLITS = {
    "iron": ("005_left", "001_right,002_right,003_right", "004_right,005_right"),
    "tbm": ("m21-256-1024", "", TBM_TEST),
}
ELSEWHERE = {"iron": ("tbm", "m21-256-1024"), "tbm": ("iron", "001_right,002_right,003_right")}
KEYS = ("iou", "boundary_f1", "are", "grain_count_error", "intercept_error")


def train(data: Path, run: Path, split: str, variant: str, seed: int) -> dict[str, float]:
    val, test, _ = SPLITS[split]
    if not (run / "metrics.json").exists():
        overrides = [
            "data=folder",
            f"data.root={data}",
            f"data.val=[{val}]",
            f"data.test=[{test}]",
            "model.init=generic",
            f"seed={seed}",
            f"hydra.run.dir={run}",
            "callbacks.progress_bar=false",
            "logger=none",
        ]
        said = {each.partition("=")[0] for each in VARIANTS[variant]}
        kept = [each for each in overrides if each.partition("=")[0] not in said]
        subprocess.run([sys.executable, ROOT / "train.py", *kept, *VARIANTS[variant]], check=True)
    metrics: dict[str, float] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    part = "test" if test else "val"
    return {key: metrics[f"{part}/{key}"] for key in KEYS} | {"seconds": metrics["train/seconds"]}


def score(data: Path, output: Path, checkpoint: Path | None, *said: str) -> dict[str, float]:
    if not (output / "metrics.json").exists():
        network = [] if checkpoint is None else [f"checkpoint={checkpoint}"]
        files = [f"images={data / 'images'}", f"masks={data / 'masks'}", f"output={output}"]
        subprocess.run(
            [sys.executable, str(ROOT / "predict.py"), *network, *files, *said],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))["all"]
    return {key: metrics[key] for key in KEYS}


def elsewhere(folder: Path, runs: Path, split: str, run: Path) -> dict[str, float]:
    other, stems = ELSEWHERE[split]
    data = view(folder / other, runs / "data" / f"{other}_elsewhere", stems.split(","))
    return score(data, run / "elsewhere", run / "checkpoints" / "best.ckpt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--sets", nargs="+", default=list(SPLITS), choices=SPLITS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    arguments = parser.parse_args()
    titles = [*KEYS, "elsewhere iou", "elsewhere boundary_f1", "s"]
    print(f"| variant | set | {' | '.join(titles)} |\n|---|---|" + "---|" * len(titles))
    for variant in arguments.variants:
        for split in arguments.sets:
            source = arguments.folder / split
            data = view(source, arguments.runs / "data" / split, without(source, SPLITS[split][2]))
            name = "".join(letter if letter.isalnum() else "_" for letter in f"{split}_{variant}")
            folders = [arguments.runs / f"{name}_{seed}" for seed in arguments.seeds]
            runs = [
                train(data, run, split, variant, seed)
                for run, seed in zip(folders, arguments.seeds, strict=True)
            ]
            others = [elsewhere(arguments.folder, arguments.runs, split, run) for run in folders]
            cells = [summary([run[key] for run in runs]) for key in KEYS]
            cells += [summary([other[key] for other in others]) for key in ("iou", "boundary_f1")]
            seconds = statistics.mean(run["seconds"] for run in runs)
            print(f"| {variant} | {split} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
