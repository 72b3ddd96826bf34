"""Pack a run into one zip: the code at this revision, the validation picture's prediction and its IoU.

python -m grainseg.pipeline.deliverable [RUN]
"""

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from omegaconf import OmegaConf

from grainseg.config import FolderDataConfig, LabelConfig, TrainConfig, parse_train
from grainseg.console import prepare_console, say
from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.folder import LabelledImage, list_folder
from grainseg.micrograph.folders.selection import OUTPUT_ENDS
from grainseg.micrograph.formats.replacing import replacing
from grainseg.pipeline.runs.validation_quality import TEST, is_tested
from grainseg.report.files.metrics_file import METRICS, read_metrics
from grainseg.report.files.prediction_files import PREDICTIONS
from grainseg.training.run_folder import CONFIG, checkpoint_path, fold_dir, read_config

ROOT = Path(__file__).resolve().parent.parent.parent
OUTPUTS = Path("outputs")
_MASK = OUTPUT_ENDS["mask"]


def make_deliverable(run: Path, target: Path) -> Path:
    """Write the zip of a run, and return its path.

    Args:
        run: Folder of a finished training run.
        target: Path of the zip.

    Raises:
        GrainsegError: The run is not finished, is a leave-one-out run, was not trained on a data folder or
            holds links instead of files; a validation picture is gone; the code has no clean revision; or the
            zip cannot be written.
    """
    metrics, config = _read_run(run)
    data = _data_folder(run, config)
    revision = _revision()
    items = list_folder(Path(data.root)).by_stem
    stems = sorted(path.name.removesuffix(_MASK) for path in (run / PREDICTIONS).glob(f"*{_MASK}"))
    gone = [stem for stem in stems if stem not in items]
    if gone:
        raise GrainsegError(f"{run}: its validation picture {gone[0]} is no longer in {data.root}")
    with tempfile.TemporaryDirectory() as staging:
        folder = Path(staging) / target.stem
        _export_code(folder)
        results = folder / "results"
        _copy_results(run, stems, results)
        for stem in stems:
            _copy_labelled(items[stem], results / "validation")
        text = _describe(run, config, data, revision, stems, metrics)
        (folder / "DELIVERABLE.md").write_text(text, encoding="utf-8")
        made = shutil.make_archive(str(Path(staging) / "made"), "zip", staging, folder.name)
        with Path(made).open("rb") as source, replacing(target) as handle:
            shutil.copyfileobj(source, handle)
    return target


def latest_run(outputs: Path) -> Path:
    """Return the most recent finished run; of a leave-one-out run, one of its folds.

    Raises:
        GrainsegError: There is no finished run.
    """
    finished = sorted(outputs.glob(f"**/{METRICS}"), key=lambda path: path.stat().st_mtime)
    runs = [path.parent for path in finished if checkpoint_path(path.parent).is_file()]
    runs = [run for run in runs if not fold_dir(run, 0).is_dir()]
    if not runs:
        raise GrainsegError(f"{outputs}: holds no finished run; make one with 'make demo' or train.py")
    return runs[-1]


def _read_run(run: Path) -> tuple[dict[str, float], TrainConfig]:
    advice = f"give a finished training run, which has {METRICS} and {CONFIG}"
    metrics, config = read_metrics(run / METRICS, advice), read_config(run / CONFIG, advice)
    if not checkpoint_path(run).is_file() or not list((run / PREDICTIONS).glob(f"*{_MASK}")):
        raise GrainsegError(f"{run}: its best checkpoint or its predictions are gone; train again")
    if not config:
        raise GrainsegError(f"{run}: its {CONFIG} is no configuration")
    try:
        parsed = parse_train(OmegaConf.create(config))
    except GrainsegError as error:  # e.g. the run of another version
        raise GrainsegError(f"{run / CONFIG}: {error}") from error
    if parsed.leave_one_out:
        raise GrainsegError(
            f"{run}: is a leave-one-out run; give one of its folds, such as {fold_dir(run, 0)}"
        )
    return metrics, parsed


def _data_folder(run: Path, config: TrainConfig) -> FolderDataConfig:
    if not isinstance(config.data, FolderDataConfig):
        raise GrainsegError(f"{run}: was trained on data={config.data.name}; give a run on a data folder")
    return config.data


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise GrainsegError(
            f"{ROOT}: is no git checkout, so the code has no revision to hand over"
        ) from error
    return done.stdout.strip()


def _revision() -> str:
    if _git("status", "--porcelain"):
        raise GrainsegError(f"{ROOT}: has uncommitted changes, which a revision would not hold; commit them")
    return _git("rev-parse", "HEAD")


def _export_code(folder: Path) -> None:
    archive = folder.with_suffix(".tar")
    _git("archive", "--format=tar", f"--prefix={folder.name}/", f"--output={archive}", "HEAD")
    shutil.unpack_archive(archive, folder.parent, filter="data")
    archive.unlink()


def _copy_results(run: Path, stems: list[str], results: Path) -> None:
    """Copy the files that a run writes, but no other files; raise a GrainsegError for a link."""
    names = [f"{stem}{end}" for stem in stems for end in OUTPUT_ENDS.values()]
    predictions = [path for path in (run / PREDICTIONS / name for name in names) if path.exists()]
    (results / PREDICTIONS).mkdir(parents=True)
    for path in (checkpoint_path(run), run / METRICS, run / CONFIG, *predictions):
        if path.resolve() != run.resolve() / path.relative_to(run):
            raise GrainsegError(
                f"{path}: is reached by a link, which no run writes; put the file itself there"
            )
        folder = results / PREDICTIONS if path in predictions else results
        shutil.copyfile(path, folder / path.name)


def _copy_labelled(item: LabelledImage, folder: Path) -> None:
    for kind, path in (("images", item.image), ("masks", item.mask)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / kind / path.name)


def _describe(
    run: Path,
    config: TrainConfig,
    data: FolderDataConfig,
    revision: str,
    stems: list[str],
    metrics: dict[str, float],
) -> str:
    where = f" (with the data in {data.root})" if data.name == "folder" else ""
    fold = run.name.startswith("fold_") and (run.parent / CONFIG).is_file()
    test = f" Test: {', '.join(data.test or ())}." if is_tested(metrics) else ""
    part = f" It is one of the networks of the leave-one-out run {run.parent.name}." if fold else ""
    predict = [
        "python",
        "predict.py",
        "checkpoint=results/best.ckpt",
        "images=results/validation/images",
        "masks=results/validation/masks",
        "output=check",
        f"boundary_tolerance_px={config.boundary_tolerance_px}",
        f"crop={_typed(data.crop)}",  # also if null: predict.py has another default
        *(f"data.{item.name}={_typed(getattr(data, item.name))}" for item in fields(LabelConfig)),
    ]
    return "\n".join(
        (
            "# Grain boundaries of the validation picture",
            "",
            f"Code at revision {revision}, run {run.name}.{part} Validation: {', '.join(stems)}.{test}",
            "",
            f"IoU {metrics['val/iou']:.6f}, boundary F1 within {config.boundary_tolerance_px:g} px "
            f"{metrics['val/boundary_f1']:.6f}. This picture also chose the checkpoint.",
            *_test_scores(metrics),
            "",
            "- `results/predictions/`: mask (0/255), probability (float32), overlay, panel",
            "- `results/best.ckpt`, `results/config.yaml`, `results/metrics.json`",
            "",
            "Commands, in this folder:",
            "",
            "```sh",
            "python3 -m venv .venv && . .venv/bin/activate",
            'pip install -c constraints.txt -e ".[dev]"',
            "# the same prediction and IoU from the checkpoint",
            shlex.join(predict),
            f"# the training run again{where}",
            'python train.py --config-path "$PWD/results" --config-name config resume=null',
            "```",
            "",
        )
    )


def _test_scores(metrics: dict[str, float]) -> list[str]:
    """Return a paragraph on the scores of the test pictures; empty if there were none."""
    if not is_tested(metrics):
        return []
    return [
        "",
        f"Of the test pictures, which neither trained nor chose anything: IoU {metrics[f'{TEST}iou']:.6f}, "
        f"boundary F1 {metrics[f'{TEST}boundary_f1']:.6f}.",
    ]


def _typed(value: object) -> str:
    return "null" if value is None else str(value).replace(" ", "")


def main() -> int:
    """Pack the named run, or the latest one, and return the exit status."""
    parser = argparse.ArgumentParser(description="Write one zip with the code, the prediction and its IoU.")
    parser.add_argument("run", nargs="?", type=Path, help="folder of a training run; default: the last one")
    run = parser.parse_args().run
    prepare_console()
    try:
        target = make_deliverable(run or latest_run(OUTPUTS), OUTPUTS / "grainseg-deliverable.zip")
    except (GrainsegError, OSError) as error:
        say(f"error: {error}", sys.stderr)
        return 1
    say(str(target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
