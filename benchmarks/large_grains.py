"""The gain from ``data.shrink`` where the labelled grains are large.

    python benchmarks/large_grains.py FOLDER RUNS [--sets NAME …] [--shrink 1 auto] [--seeds 0 1]

``FOLDER`` is made by ``real_sets.py``. Its pictures are enlarged by cubic interpolation; the middles of their
labels' lines are enlarged as well and drawn again 3 px wide. They are split as in ``finetuning.py``; the
validation picture is scored, too. The synthetic fields are drawn with large grains: five with seeds 501 to
505, of which the last validates, and four with seeds 601 to 604. The tolerance of F1 is 3 px times the
magnification. A run that already exists is not repeated.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from architectures import ROOT, summary
from finetuning import KEYS, SPLITS, score
from PIL import Image
from real_sets import view
from scipy.ndimage import distance_transform_edt

from grainseg.micrograph.image import BOUNDARY, FloatImage, Label
from grainseg.micrograph.morphology import skeleton
from grainseg.micrograph.plain.synthetic import ONE_SPECIMEN, generate

SETS = {
    "iron × 1.3": ("iron", 1.3),
    "iron × 1.6": ("iron", 1.6),
    "iron × 2.5": ("iron", 2.5),
    "tbm × 3": ("tbm", 3.0),
}
TRAINED = {
    "iron": [f"{number:03}_left" for number in range(1, 5)],
    "tbm": ["m21-0-1024", "m21-0-256", "m21-0-768", "m21-256-256"],
}
SYNTHETIC = "synthetic, grains of 140 px"
LINE_PX = 3


def enlarged(source: Path, target: Path, by: float, stems: Iterable[str]) -> None:
    """Write pictures and masks of a data folder at another magnification."""
    for stem in stems:
        with Image.open(source / "images" / f"{stem}.png") as opened:
            picture = np.asarray(opened.convert("L"))
        with Image.open(source / "masks" / f"{stem}.png") as opened:
            mask = np.asarray(opened.convert("L")) > 0
        size = (round(mask.shape[1] * by), round(mask.shape[0] * by))
        away = np.asarray(by * distance_transform_edt(~skeleton(mask)), np.float32)
        large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        drawn = cv2.resize(away, size, interpolation=cv2.INTER_LINEAR) < LINE_PX / 2 + 0.1
        write(target, stem, large, drawn)


def write(target: Path, stem: str, picture: np.ndarray, lines: np.ndarray) -> None:
    for kind, values in (("images", picture), ("masks", np.where(lines, 255, 0))):
        (target / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(values.astype(np.uint8)).save(target / kind / f"{stem}.png")


def drawn(target: Path) -> None:
    """Write the synthetic fields."""
    recipe = replace(ONE_SPECIMEN, mean_grain_px=(140.0, 140.0))
    for seed in (*range(501, 506), *range(601, 605)):
        made = generate(seed, (768, 768), recipe)
        pixels: FloatImage = made.pixels
        label: Label = made.label
        write(target, f"{seed}", np.round(255 * np.clip(pixels, 0, 1)), label == BOUNDARY)


def parts(name: str, folder: Path, made: Path) -> tuple[list[str], str, list[str], float]:
    """Write a set; return its pictures that train, validate and test, and its magnification."""
    if name == SYNTHETIC:
        drawn(made)
        return [f"{seed}" for seed in range(501, 505)], "505", [f"{seed}" for seed in range(601, 605)], 1.0
    source, by = SETS[name]
    val, test, _ = SPLITS[source]
    tests = test.split(",") if test else []
    enlarged(folder / source, made, by, [*TRAINED[source], val, *tests])
    return TRAINED[source], val, tests, by


def train(data: Path, run: Path, val: str, shrink: str, seed: int) -> Path:
    if not (run / "metrics.json").exists():
        overrides = [
            "data=folder",
            f"data.root={data}",
            f"data.val=['{val}']",
            f"data.shrink={shrink}",
            f"seed={seed}",
            f"hydra.run.dir={run}",
            "callbacks.progress_bar=false",
            "logger=none",
        ]
        subprocess.run([sys.executable, ROOT / "train.py", *overrides], check=True)
    return run / "checkpoints" / "best.ckpt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--sets", nargs="+", default=[*SETS, SYNTHETIC], choices=[*SETS, SYNTHETIC])
    parser.add_argument("--shrink", nargs="+", default=["1", "auto"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    arguments = parser.parse_args()
    print(f"| set | scored on | data.shrink | {' | '.join(KEYS)} |\n|---|---|---|" + "---|" * len(KEYS))
    for name in arguments.sets:
        plain = "".join(letter if letter.isalnum() else "_" for letter in name)
        made = arguments.runs / "data" / plain
        trained, val, tests, by = parts(name, arguments.folder, made)
        data = view(made, arguments.runs / "data" / f"{plain}_trains", [*trained, val])
        for shrink in arguments.shrink:
            runs = [arguments.runs / f"{plain}_{shrink}_{seed}" for seed in arguments.seeds]
            checkpoints = [
                train(data, run, val, shrink, seed) for run, seed in zip(runs, arguments.seeds, strict=True)
            ]
            for part, stems in (("validation", [val]), ("test", tests)):
                if not stems:
                    continue
                scored = view(made, arguments.runs / "data" / f"{plain}_{part}", stems)
                scores = [
                    score(scored, run / part, checkpoint, f"boundary_tolerance_px={3 * by}")
                    for run, checkpoint in zip(runs, checkpoints, strict=True)
                ]
                cells = [summary([each[key] for each in scores]) for key in KEYS]
                print(f"| {name} | {part} | {shrink} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
