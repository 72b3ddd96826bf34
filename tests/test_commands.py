"""The commands as a person starts them: real processes, their screens, exit codes and files."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from helpers import ROOT
from PIL import Image

TINY = ("experiment=smoke", "trainer=cpu", "inference.tile_size=64", "inference.overlap=32")


def command(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}
    return subprocess.run(
        [sys.executable, ROOT / f"{script}.py", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def run(fields: Path, module_folder: Path) -> tuple[Path, Path, str]:
    """One training run: where it was started, its folder, its screen."""
    done = command("train", *TINY, "data=folder", f"data.root={fields}", cwd=module_folder)
    assert done.returncode == 0, done.stderr
    (folder,) = (module_folder / "outputs" / "smoke").iterdir()
    return module_folder, folder, done.stdout


def test_train_ends_with_its_iou_and_where_everything_lies(run: tuple[Path, Path, str]) -> None:
    cwd, folder, screen = run
    *before, _, _, _, _ = screen.splitlines()
    (grains,) = [
        number for number, line in enumerate(before) if line.startswith("validation: grains: adapted Rand")
    ]
    assert before[-1].startswith("warning: ")  # it was trained for seconds
    assert len(before) - grains <= 3
    closing = screen.splitlines()[-4:]
    assert closing[0].startswith("val/iou 0.")
    for line, path in zip(closing[1:], ("predictions", "checkpoints/best.ckpt", "tensorboard"), strict=True):
        named = cwd / line.split()[-1]
        assert named == folder / path
        assert named.exists()


def test_predict_takes_paths_as_typed_and_leaves_nothing_of_its_own(
    run: tuple[Path, Path, str], fields: Path, tmp_path: Path
) -> None:
    _, folder, _ = run
    picture = tmp_path / "${x} it's a=b (1) ü,#[1].png"
    Image.open(fields / "images" / "f0.png").save(picture)
    checkpoint = tmp_path / "epoch=1,{a}.ckpt"
    checkpoint.write_bytes((folder / "checkpoints" / "best.ckpt").read_bytes())
    output = "out, (2)='x'"
    done = command(
        "predict", f"checkpoint={checkpoint}", f"images={picture}", f"output={output}", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / output).iterdir()} == {
        *(f"{picture.stem}_{name}" for name in ("mask.png", "probability.tif", "overlay.png", "grains.tif")),
        "grains.csv",
        "fields.csv",
        "batches.csv",
        "budget.csv",
        "report.html",
    }
    assert {path.name for path in tmp_path.iterdir()} == {picture.name, checkpoint.name, output}


@pytest.mark.slow
def test_a_sweep_makes_one_readable_folder_per_job_and_outlives_a_failing_one(
    fields: Path, tmp_path: Path
) -> None:
    said = (*TINY, "epochs=1", "model=unet,smp", "seed=0,1", "data=folder", f"data.root={fields}")
    done = command("train", "-m", *said, cwd=tmp_path)
    assert done.returncode == 1  # model=smp lacks its architecture
    (sweep,) = (tmp_path / "outputs" / "smoke").iterdir()
    jobs = {path.name for path in sweep.iterdir() if path.is_dir()}
    assert {name for name in jobs if "model=unet" in name} == {
        name for name in jobs if (sweep / name / "metrics.json").exists()
    }
    assert len(jobs) == 4
    assert all("seed=" in name for name in jobs)
    ious = {
        name: json.loads((sweep / name / "metrics.json").read_text())["val/iou"]
        for name in jobs
        if "model=unet" in name
    }
    assert ranked(done) == [name.partition("_")[0] for name in sorted(ious, key=lambda name: -ious[name])]
    assert "job 2 (model=smp seed=0): failed: " in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"tensorboard --logdir {sweep.relative_to(tmp_path)}")
    assert "model.architecture is missing" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    again = command("train", "-m", *said, f"hydra.sweep.dir={sweep}", cwd=tmp_path)
    assert again.returncode == 1
    assert again.stdout.count(": is finished") == 2
    assert ranked(again) == ranked(done)


def ranked(sweep: subprocess.CompletedProcess[str]) -> list[str]:
    told = sweep.stdout[sweep.stdout.index("jobs, the best val/iou first:") :].splitlines()[2:4]
    return [line.split()[2] for line in told]


@pytest.mark.slow
def test_optuna_maximises_the_objective(fields: Path, tmp_path: Path) -> None:
    done = command(
        "train", *TINY[1:], "experiment=tune", "hydra.sweeper.n_trials=2", "epochs=1", "data=folder",
        "data.tile_size=64", "data.patches_per_epoch=8", f"data.root={fields}", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (result,) = tmp_path.glob("outputs/tune/*/optimization_results.yaml")
    assert "best_value: 0." in result.read_text()
    assert "grains:" not in done.stdout


@pytest.mark.slow
def test_pretraining_ends_in_weights_that_predict(fields: Path, tmp_path: Path) -> None:
    pretrained = command(
        "train", "experiment=pretrain", "trainer=cpu", "epochs=1", "batch_size=2", "data.tile_size=64",
        "data.patches_per_epoch=8", "data.num_workers=1", "data.val_side=64", "data.val_pictures=1",
        "data.recipe.grain_px=[10,20]", "model.decoder_width=16", "hydra.run.dir=run", cwd=tmp_path,
    )  # fmt: skip
    assert pretrained.returncode == 0, pretrained.stderr
    assert "train on an endless synthetic stream" in pretrained.stdout
    exported = subprocess.run(
        [sys.executable, "-m", "grainseg.cli", "export", "run/checkpoints/best.ckpt", "w.safetensors"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert exported.returncode == 0, exported.stderr
    predicted = command(
        "predict", "checkpoint=w.safetensors", f"images={fields / 'images' / 'f0.png'}", "output=out",
        "partition=none", cwd=tmp_path,
    )  # fmt: skip
    assert predicted.returncode == 0, predicted.stderr
    assert (tmp_path / "out" / "f0_mask.png").exists()


@contextmanager
def started(*arguments: str | Path, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A running process that listens to Ctrl-C and does not outlive the test.

    Where these tests were started in a shell's background, SIGINT is ignored and a child would inherit that;
    a handler, unlike that, is not inherited.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_a_checkpoint_that_predicts_and_resumes(
    stop: signal.Signals, fields: Path, tmp_path: Path
) -> None:
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    with started(
        ROOT / "train.py", *TINY, "epochs=500", "data=folder", f"data.root={fields}",
        "callbacks.progress_bar=false", "hydra.run.dir=run", cwd=tmp_path,
    ) as process:  # fmt: skip
        while process.poll() is None and not last.exists():
            os.sched_yield()
        process.send_signal(stop)
        screen, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + stop
    assert "Traceback" not in screen
    assert f"resume={last.relative_to(tmp_path)}" in screen or f"resume={last}" in screen
    reached = torch.load(last, weights_only=True)
    assert reached["optimizer_states"]
    predicted = command(
        "predict", f"checkpoint={last}", f"images={fields / 'images' / 'f0.png'}", "output=out", cwd=tmp_path
    )
    assert predicted.returncode == 0, predicted.stderr
    resumed = command(
        "train", *TINY, f"epochs={reached['epoch'] + 3}", "data=folder", f"data.root={fields}",
        f"resume={last}", cwd=tmp_path,
    )  # fmt: skip
    assert resumed.returncode == 0, resumed.stderr
    later = torch.load(last, weights_only=True)  # it went on in its own folder
    assert later["epoch"] == reached["epoch"] + 2
    assert later["global_step"] > reached["global_step"]
    assert not (tmp_path / "outputs").exists()


@pytest.mark.slow
def test_two_processes_train_as_one(fields: Path, tmp_path: Path) -> None:
    done = command(
        "train", *TINY[:1], *TINY[2:], "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2",
        "data=folder", f"data.root={fields}", "hydra.run.dir=run", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "metrics.json").exists()
    assert done.stdout.count("val/iou 0.") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data.root=nowhere"], "nowhere"),
        (["data.root={fields}", "model.encoder=resnet81"], "model.encoder=resnet81 is unknown"),
        (["data.root={fields}", "data.boundary_value=0"], "data.boundary_value"),
        (["data.root={fields}", "resume={fields}/images/f0.png"], "not a checkpoint"),
    ],
)
@pytest.mark.slow
def test_a_run_that_cannot_be_ends_in_one_line(
    arguments: list[str], message: str, fields: Path, tmp_path: Path
) -> None:
    filled = [argument.replace("{fields}", str(fields)) for argument in arguments]
    done = command("train", *TINY, "data=folder", *filled, cwd=tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
