"""Compare the three architectures with equal steps, from scratch, on folders made by ``real_sets.py``.

    python benchmarks/architectures.py FOLDER RUNS [--sets synthetic iron] [--seeds 0 1 2]

Trains with the default recipe, one process per run; a run that already exists is not repeated. Prints the
mean and standard deviation over the seeds of the scores on the test pictures, which were not used for any
choice. Training times are measured by ``benchmarks/step_time.py``.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from real_sets import view, without

from grainseg.model.checkpoint import load_network
from grainseg.model.networks import parameter_count

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURES = ("unet", "unetplusplus", "deeplabv3plus")
TBM_TEST = (
    "m21-512-1024,m10-0-768,m10-256-1024,m10-256-512,m10-512-512,"
    "m11-0-0,m11-0-256,m11-256-256,m11-512-256,m11-512-768"
)
# Validation pictures, test pictures, pictures left out: iron's right halves 1-3 chose the recipe.
# All other pictures train.
SPLITS = {
    "synthetic": ("field_5", "test_1,test_2,test_3,test_4,test_5", ""),
    "iron": ("005_left", "004_right,005_right", "001_right,002_right,003_right"),
    "tbm": ("m21-256-256", TBM_TEST, ""),
}


def train(data: Path, run: Path, name: str, architecture: str, seed: int) -> dict[str, float]:
    val, test, _ = SPLITS[name]
    if not (run / "metrics.json").exists():
        overrides = [
            f"model={architecture}",
            "model.init=scratch",
            "augment=light",
            "data.label_offset=null",
            f"seed={seed}",
            "data=folder",
            f"data.root={data}",
            f"data.val=[{val}]",
            f"data.test=[{test}]",
            "callbacks.progress_bar=false",
            f"hydra.run.dir={run}",
        ]
        subprocess.run([sys.executable, ROOT / "train.py", *overrides], check=True)
    metrics: dict[str, float] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return metrics


def summary(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--sets", nargs="+", default=["synthetic", "iron"], choices=SPLITS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    arguments = parser.parse_args()
    results: dict[tuple[str, str], list[dict[str, float]]] = {}
    for seed in arguments.seeds:
        for name in arguments.sets:
            source = arguments.folder / name
            data = view(source, arguments.runs / "data" / name, without(source, SPLITS[name][2]))
            for architecture in ARCHITECTURES:
                run = arguments.runs / f"{name}_{architecture}_{seed}"
                metrics = train(data, run, name, architecture, seed)
                results.setdefault((name, architecture), []).append(metrics)
    print("| set | architecture | parameters | test IoU | test F1 (3 px) | val IoU |")
    print("|---|---|---|---|---|---|")
    for (name, architecture), runs in results.items():
        seed = arguments.seeds[0]
        best = arguments.runs / f"{name}_{architecture}_{seed}" / "checkpoints" / "best.ckpt"
        parameters = f"{parameter_count(load_network(best)[1]) / 1e6:.1f} M"
        keys = ("test/iou", "test/boundary_f1", "val/iou")
        columns = [parameters, *(summary([run[key] for run in runs]) for key in keys)]
        print(f"| {name} | {architecture} | {' | '.join(columns)} |")


if __name__ == "__main__":
    main()
