"""What a sweep tells at its end, and the search of experiment=tune."""

import json
import math
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from helpers import compose_train, csv_rows, run_in_process, ways_to_go_on
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from grainseg.config import TrainConfig
from grainseg.errors import GrainsegError
from grainseg.hydra_app import CONF
from grainseg.hydra_app.sweeps import SweepSummary, sweep_lines, swept_values
from grainseg.report.files.sweep_jobs import (
    FAILED,
    FINISHED,
    UNFINISHED,
    SweepJob,
    job_states,
    read_jobs,
    write_job,
)

TUNE = OmegaConf.load(CONF / "experiment" / "tune.yaml")


def test_a_sweeper_that_looks_for_the_worst_is_refused() -> None:
    """Optuna does unless told otherwise; the objective is better where it is more, also that of errors."""
    for direction in (Enum("Direction", ["minimize", "maximize"])["minimize"], ["maximize", "minimize"]):
        node = OmegaConf.create({"hydra": {"sweeper": {"direction": direction}}})
        with pytest.raises(SystemExit, match=r"^error: .*direction=.*minimize.*: .*direction=maximize$"):
            SweepSummary().on_multirun_start(node)


def test_a_sweep_tells_and_writes_which_jobs_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def diverged(config: TrainConfig, *_: object) -> tuple[dict[str, float], str]:
        if config.seed == 1:
            raise GrainsegError("diverged")
        return {"val/iou": 0.5}, "closing lines"

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("grainseg.hydra_app.tasks._trained", diverged)
    said = ["-m", "seed=0,1", "epochs=3", "name=x", "hydra.sweep.dir=sweep"]
    assert run_in_process(monkeypatch, "train", *said) == 1
    screen = capsys.readouterr()
    assert screen.err.splitlines()[-1] == "error: job 1 (seed=1): diverged"
    assert screen.out.splitlines()[-2:] == [
        "job 1 (seed=1): failed: diverged",
        "all scores:   sweep/sweep.csv",
    ]
    rows = [(row["seed"], row["status"], row["error"]) for row in csv_rows(tmp_path / "sweep" / "sweep.csv")]
    assert rows == [("0", "finished", ""), ("1", "failed", "diverged")]


def test_a_sweep_overwrites_no_table_of_something_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.csv").write_text("mine\n")
    with pytest.raises(SystemExit, match=r"^error: hydra\.sweep\.dir=\.: holds a sweep\.csv that no sweep"):
        run_in_process(monkeypatch, "train", "-m", "seed=0,1", "hydra.sweep.dir=.")
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.csv"]


@pytest.mark.filterwarnings("ignore")  # Optuna's import raises many
@pytest.mark.parametrize(
    ("seed", "advice"),
    [("0", ""), ("null", "; they are the same only if hydra.sweeper.sampler.seed was said")],
)
def test_an_interrupted_search_says_whether_its_jobs_can_be_drawn_again(
    seed: str,
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    arguments = ["experiment=tune", "hydra.sweep.dir=a", f"hydra.sweeper.sampler.seed={seed}"]
    (way,) = ways_to_go_on(monkeypatch, capsys, tmp_path, *arguments)
    assert way.endswith(f"but the same command and hydra.sweep.dir=a{advice}")


def job(sweep: Path, overrides: dict[str, Any], metrics: dict[str, float | None], **changes: str) -> None:
    """A job of a sweep, as it leaves its folder."""
    number = len(list(sweep.iterdir()))
    folder = sweep / f"{number}_job"
    write_job(SweepJob(number, folder, overrides, **{"status": FINISHED, **changes}))
    (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.mark.parametrize(
    ("metric", "order"),
    [("val/iou", ["1", "0", "2"]), ("val/are", ["0", "1", "2"]), ("val/recall", ["1", "0", "2"])],
)
def test_jobs_of_a_sweep_are_ranked(tmp_path: Path, metric: str, order: list[str]) -> None:
    """Errors the least first, jobs without such a score last."""
    job(tmp_path, {"x": 1}, {"val/iou": 0.5, "val/are": 0.1, "val/recall": None})
    job(tmp_path, {"x": 2}, {"val/iou": 0.6, "val/are": 0.2, "val/recall": 0.5})
    job(tmp_path, {"x": 3}, {})
    heading, names, *rows = sweep_lines(tmp_path, metric)
    assert heading == f"jobs, the best {metric} first:"
    place = names.split().index("job")
    assert [row.split()[place] for row in rows[:3]] == order
    assert ("0.6000" in rows[0]) == (order[0] == "1")


def test_the_screen_shows_f1_beside_iou_and_what_is_swept(tmp_path: Path) -> None:
    job(tmp_path, {"model": "unet", "optimizer.lr": 0.00123456}, {"val/iou": 0.5, "val/boundary_f1": 0.9})
    job(tmp_path, {"model": "fpn", "optimizer.lr": 0.1}, {"val/iou": 0.6, "val/boundary_f1": 0.8})
    (tmp_path / "1_job" / "tensorboard").mkdir()
    assert sweep_lines(tmp_path, "val/iou") == [
        "jobs, the best val/iou first:",
        "val/iou  val/boundary_f1  job  model  optimizer.lr",
        "0.6000   0.8000           1    fpn    0.1",
        "0.5000   0.9000           0    unet   0.001235",
        f"all scores:   {tmp_path}/sweep.csv",
        f"TensorBoard:  tensorboard --logdir {tmp_path}",
    ]


def test_jobs_that_did_not_finish_are_named(tmp_path: Path) -> None:
    """Scores that an earlier start left in the folder of such a job do not count."""
    job(tmp_path, {"seed": 0}, {"val/iou": 0.5}, status=FAILED, error="loss is not finite")
    job(tmp_path, {"seed": 1}, {"val/iou": 0.6}, status=UNFINISHED)
    assert sweep_lines(tmp_path, "val/iou") == [
        "job 0 (seed=0): failed: loss is not finite",
        "job 1 (seed=1): not finished",
        f"all scores:   {tmp_path}/sweep.csv",
    ]


def test_jobs_of_an_earlier_command_in_the_same_folder_are_not_mixed_in(tmp_path: Path) -> None:
    """They may have been trained otherwise; jobs that are run again count, whatever they are named."""
    job(tmp_path, {"seed": 0}, {"val/iou": 0.1})
    job(tmp_path, {"seed": 1}, {"val/iou": 0.2})
    before = job_states(tmp_path)
    write_job(SweepJob(1, tmp_path / "1_job", {"seed": 1}, FINISHED))
    job(tmp_path, {"seed": 2}, {"val/iou": 0.4})
    lines = sweep_lines(tmp_path, "val/iou", before)
    assert any(line.startswith("0.3000 ± 0.1414") for line in lines)
    assert [row["seed"] for row in csv_rows(tmp_path / "sweep.csv")] == ["1", "2"]


def test_seeds_of_the_same_setting_are_averaged(tmp_path: Path) -> None:
    for model, seed, iou in (("unet", 0, 0.5), ("unet", 1, 0.7), ("fpn", 0, 0.8), ("fpn", 1, None)):
        status = FINISHED if iou else FAILED
        job(tmp_path, {"model": model, "seed": seed}, {"val/iou": iou, "val/boundary_f1": 0.9}, status=status)
    lines = sweep_lines(tmp_path, "val/iou")
    place = lines.index("mean ± standard deviation over seeds:")
    assert lines[place + 1 : place + 4] == [
        "val/iou          val/boundary_f1  n  model",
        "0.8000           0.9000           1  fpn",
        "0.6000 ± 0.1414  0.9000 ± 0.0000  2  unet",
    ]


@pytest.mark.parametrize(
    ("swept", "means"),
    [
        ([{"seed": 0}, {"seed": 1}], ["0.5000 ± 0.0000  -                2"]),
        ([{"seed": 0, "lr": 0.1}, {"seed": 1, "lr": 0.2}], []),  # no setting has two seeds
        ([{"lr": 0.1}, {"lr": 0.2}], []),
    ],
)
def test_means_need_several_seeds(swept: list[dict[str, float]], means: list[str], tmp_path: Path) -> None:
    for overrides in swept:
        job(tmp_path, overrides, {"val/iou": 0.5})
    assert [line for line in sweep_lines(tmp_path, "val/iou") if " ± 0" in line] == means


def test_the_table_has_a_row_per_job_with_its_overrides_and_scores(tmp_path: Path) -> None:
    scores = {
        "val/iou": 0.5,
        "val/grain_count_error": 0.1,
        "test/iou": 0.4,
        "train/seconds": 9.0,
        "other": 1.0,
    }
    job(tmp_path, {"seed": 0, "data.root": "-a,b"}, scores)
    job(tmp_path, {"seed": -1.5}, {}, status=FAILED, error="why")
    sweep_lines(tmp_path, "val/iou")
    assert csv_rows(tmp_path / "sweep.csv") == [
        {
            "job": "0", "folder": "0_job", "seed": "0", "data.root": "'-a,b", "status": "finished",
            "val/iou": "0.5", "val/grain_count_error": "0.1", "test/iou": "0.4", "train/seconds": "9.0",
            "error": "",
        },
        {
            "job": "1", "folder": "1_job", "seed": "-1.5", "data.root": "", "status": "failed",
            "val/iou": "", "val/grain_count_error": "", "test/iou": "", "train/seconds": "", "error": "why",
        },
    ]  # fmt: skip


def test_files_that_are_no_records_are_passed_over(tmp_path: Path) -> None:
    for number, text in enumerate(["[]", "{}", "no JSON", '{"job": 1, "status": "", "overrides": 3}']):
        (tmp_path / str(number) / ".hydra").mkdir(parents=True)
        (tmp_path / str(number) / ".hydra" / "job.json").write_text(text)
    assert sweep_lines(tmp_path, "val/iou") == []
    assert not (tmp_path / "sweep.csv").exists()
    job(tmp_path, {}, {"val/iou": 0.5})
    (tmp_path / "4_job" / "metrics.json").write_text("[]")
    (found,) = read_jobs(tmp_path)
    assert found.title == "job 4"
    assert math.isnan(found.score("val/iou"))


def test_what_a_job_overrides_is_read_without_what_all_share() -> None:
    overrides = ["model=unet", "epochs=3", "+model.options.x=true", "data.root='A, (1)'", "optimizer.lr=1e-3"]
    assert swept_values(overrides, ["epochs"]) == {
        "model": "unet",
        "model.options.x": "True",
        "data.root": "A, (1)",
        "optimizer.lr": 0.001,
    }


@pytest.mark.parametrize("loss", sorted(path.stem for path in (CONF / "loss").glob("*.yaml")))
def test_a_search_suits_every_loss(loss: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", ["experiment=tune", f"loss={loss}"])
    assert [key for key in TUNE.hydra.sweeper.params if OmegaConf.select(config, key) is None] == []


def test_a_search_can_be_repeated_and_chooses_no_partition_unless_told_to() -> None:
    assert TUNE.hydra.sweeper.sampler.seed is not None
    assert compose_train("experiment=tune").partition.name == "none"
    assert compose_train("experiment=tune", "partition=watershed").partition.name == "watershed"
