"""Every option composes and builds; paths are taken as typed; errors are one line."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, compose_train, run_in_process, ways_to_go_on
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from grainseg.data.photometry import Photometry
from grainseg.hydra_app import CONF, main_train
from grainseg.hydra_app.arguments import name_jobs_by_differences
from grainseg.model.losses import build_loss
from grainseg.model.networks import build_network
from grainseg.pipeline.train import network_spec
from grainseg.training.callbacks import build_callbacks
from grainseg.training.optimizers import build_optimizers
from grainseg.training.runtime import hardware_arguments

GROUPS = sorted(path for path in CONF.iterdir() if path.is_dir() and path.name != "experiment")
OPTIONS = [(group.name, path.stem) for group in GROUPS for path in sorted(group.glob("*.yaml"))]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_and_builds(group: str, option: str, tmp_path: Path) -> None:
    extra = {"smp": ["model.architecture=fpn"], "folder": ["data.root=somewhere"]}.get(option, [])
    extra += ["augment=stream"] if (group, option) == ("data", "stream") else []
    config = compose_train(f"{group}={option}", *extra)
    network = build_network(network_spec(config))
    Photometry(config.augment)
    build_loss(config.loss)
    build_optimizers(config.optimizer, config.scheduler, network, 10)
    build_callbacks(config, tmp_path)
    if option != "gpu":
        hardware_arguments(config.trainer)


@pytest.mark.parametrize("experiment", [path.stem for path in (CONF / "experiment").glob("*.yaml")])
def test_every_experiment_composes_under_its_own_name(experiment: str) -> None:
    assert compose_train(f"experiment={experiment}").name == experiment


def test_an_experiment_wins_over_the_defaults_and_the_command_line_over_both() -> None:
    assert compose_train("experiment=smoke").epochs != compose_train().epochs
    assert compose_train("experiment=smoke", "epochs=7").epochs == 7


def test_folders_of_sweeps_have_names_that_file_systems_take() -> None:
    name = ",".join(f"überlang_{number}=0.001" for number in range(99))
    node = OmegaConf.create({"name": name, "short": "${shortened:${name}}"})
    assert name.startswith(node.short)
    assert 150 < len(node.short.encode()) <= 160
    short = OmegaConf.create({"a": "data.val=['a'],x=\"b\"", "b": "${shortened:${a}}"}).b
    assert short == "data.val=[a],x=b"  # to be pasted into a shell
    short = OmegaConf.create({"a": "optimized_metric=val/are", "b": "${shortened:${a}}"}).b
    assert short == "optimized_metric=val_are"  # one folder, and none below another
    short = OmegaConf.create({"a": "data.root='/long/way/A (1)',seed=0", "b": "${shortened:${a}}"}).b
    assert short == "data.root=A (1),seed=0"


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["-m", "model=unet,fpn", "epochs=3", "data.root=A (1)"], {"model"}),
        (["-m", "optimizer.lr=choice(1,2)", "seed=range(3)", "augment=light"], {"optimizer.lr", "seed"}),
        (["-m", "name=a,b", "resume=c"], {"name"}),
        (["epochs=3"], set()),
    ],
)
def test_folders_of_sweeps_are_named_by_what_differs(arguments: list[str], kept: set[str]) -> None:
    *same, said = name_jobs_by_differences(arguments)
    assert same == arguments
    override = OverridesParser.create().parse_override(said)
    keys = {argument.partition("=")[0] for argument in arguments if argument != "-m"}
    assert keys - set(override.value()) == kept


@pytest.mark.parametrize(
    ("arguments", "place"),
    [(["--info"], 0), (["-m", "a=1,2", "--info", "all"], 2), (["a=1", "-c", "job"], 1), ([], 0)],
)
def test_no_option_takes_our_override_for_its_own(arguments: list[str], place: int) -> None:
    found = name_jobs_by_differences(arguments)
    assert found.pop(place).startswith("hydra.job.config.override_dirname.exclude_keys=[")
    assert found == arguments


def test_what_hydra_cannot_read_is_left_to_it() -> None:
    assert name_jobs_by_differences(["a=[1", "b=2"]) == ["a=[1", "b=2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "data.tile_sze=3"], "data.tile_sze: there is no such key; did you mean data.tile_size?"),
        (["train", "model=unett"], "model=unett: there is no such choice; choose one of deeplabv3plus,"),
        (["train", "+experiment=smok"], "experiment=smok: there is no such choice"),
        (["train", "loss.dice_weight=[1"], "loss.dice_weight=[1: no viable alternative"),
        (["train", "epochs=many"], "epochs: Value 'many' of type 'str' could not be converted to Integer"),
        (
            ["train", "data=folder", "data.root=.", "data.val=f5"],
            "data.val=f5: must be a list; say 'data.val=[f5]'",
        ),
        (
            ["train", "data.val=a,b"],
            "data.val=a,b: say data.val=[a,b] for a list; to sweep over values, add -m",
        ),
        (
            ["train", "--experiment", "smoke"],
            "--experiment: is no option; settings are said as experiment=VALUE",
        ),
        (
            ["predict", "pixel_size_um=0,25"],
            "pixel_size_um=0,25: say pixel_size_um=[0,25] for a list or, for a decimal, pixel_size_um=0.25;",
        ),
        (["train", "partition=null"], "partition=null: choose one of none, watershed"),
        (["train", "partition=[1]"], "partition=[1]: choose one of none, watershed"),
        (["train", "+data=null"], "+data=null: choose one of folder, stream, synthetic"),
        (["train", "hydra=null"], "hydra=null: must be the name of a choice"),
        (["train", "name=Müller,Ä"], "name=Müller,Ä: must be one name, without a comma; to sweep over names"),
        (["train", "seed=\x1b[31m"], r"seed=\x1b[31m: "),
        (["train", "epochs", "3"], "epochs: settings are said with =; say epochs=3"),
        (["train", "=3"], "=3: lacks its key; say KEY=VALUE"),
        (["predict", "+=a.png", "output=b"], "+=a.png: lacks its key; say KEY=VALUE"),
        (
            ["train", "hydra.run.dir=file/run"],
            "file/run: Not a directory; choose another folder (hydra.run.dir,",
        ),
        (
            ["train", "-m", "seed=1,2", "hydra.sweep.dir=file"],
            "file: File exists; choose another folder (hydra",
        ),
        (["train", "hydra.run.dir=log"], "{folder}/log/train.log: Is a directory; choose another folder"),
        (["train", "-m", "epochs", "seed=1"], "epochs: settings are said with =; say epochs=VALUE"),
        (
            ["train", "model.options.encoder_depth=3"],
            "model.options.encoder_depth: there is no such key; to add it, say "
            "+model.options.encoder_depth=3",
        ),
        (["train", "loss.name=focal_tversky"], "loss.name=focal_tversky: has other settings than these; say"),
        (["predict", "images=", "output=b"], "images=: is empty; give a path, or leave images out"),
        (["train", "++data.root="], "++data.root=: is empty; give a path, or leave data.root out"),
        (["predict", "images=a", "output=b", "crop.x=1"], "crop.x: there is no such key; crop is one value"),
        (["train", "nothing=1"], "nothing: there is no such key"),
        (["predict", "output=b"], "images is missing: say images=VALUE"),
        (["predict", "image=a"], "image: there is no such key; did you mean images?"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "log" / "train.log").mkdir(parents=True)
    assert run_in_process(monkeypatch, *arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"error: {message.replace('{folder}', str(tmp_path))}")


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["hydra.run.dir=a/images"], "hydra.run.dir"),
        (["-m", "seed=1,2", "hydra.sweep.dir=a/masks"], "hydra.sweep.dir"),
    ],
)
def test_no_run_is_written_among_its_own_images_or_masks(
    arguments: list[str],
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        run_in_process(monkeypatch, "train", "data=folder", "data.root=a", *arguments)
    assert caught.value.code == 1
    folder = arguments[-1].partition("=")[2]
    expected = f"error: {key}={folder} is the folder of the {Path(folder).name}; choose another one\n"
    assert capsys.readouterr().err == expected
    assert not list(tmp_path.iterdir())


def test_a_sweep_starts_no_processes_that_would_start_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Lightning takes ddp for several devices by itself, and its further processes have our arguments."""
    monkeypatch.chdir(tmp_path)
    assert run_in_process(monkeypatch, "train", "trainer=cpu", "-m", "trainer.devices=2", "name=a,b") == 1
    said = capsys.readouterr().err
    assert "trainer.devices=2: a job of a sweep cannot start several processes; say trainer=auto" in said
    (sweep,) = (tmp_path / "outputs" / "default").iterdir()  # one, though the jobs have other names
    assert {path.name for path in sweep.iterdir() if path.is_dir()} == {"0_name=a", "1_name=b"}


@pytest.mark.parametrize(
    ("arguments", "way"),
    [
        (["hydra.run.dir=run"], ", say the same overrides and resume={}/run/checkpoints/last.ckpt"),
        (["hydra.run.dir=new"], None),
        (
            ["experiment=leave_one_out", "data=folder", "data.root=.", "hydra.run.dir=run"],
            " with all folds: no resume, but the same overrides and hydra.run.dir={}/run",
        ),
        (
            ["-m", "seed=0,1", "hydra.sweep.dir=${name} (1)"],
            " with all jobs: no resume, but the same command and hydra.sweep.dir=default (1)",
        ),
    ],
)
def test_an_interrupted_run_says_how_to_go_on(
    arguments: list[str],
    way: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "checkpoints" / "last.ckpt").touch()
    said = ways_to_go_on(monkeypatch, capsys, tmp_path, *arguments)
    assert said == ([] if way is None else [way.format(tmp_path)])


def test_a_traceback_is_given_when_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "epochs=0"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(Exception, match="epochs=0: must be positive"):
        main_train()


def test_nothing_heavy_is_imported_before_the_configuration_is_known_to_be_right() -> None:
    code = (
        "import sys, grainseg.hydra_app;"
        "print(sorted({'torch', 'lightning', 'numpy', 'scipy', 'cv2', 'albumentations'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("stop", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_who_stopped_a_run_stands_in_its_status(
    stop: signal.Signals,
    status: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("grainseg.hydra_app.entry.predict_task", lambda node: signal.raise_signal(stop))
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have background jobs ignore it
    try:
        assert run_in_process(monkeypatch, "predict", "images=a", "output=b") == status
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert capsys.readouterr().err.splitlines() == [word]


def test_predict_with_a_bad_picture_does_the_others_and_fails(
    checkpoint: Path,
    fields: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    shutil.copy(fields / "images" / "f0.png", tmp_path / "in" / "good.png")
    arguments = (f"checkpoint={checkpoint}", f"images={tmp_path / 'in'}", f"output={tmp_path / 'out'}")
    assert run_in_process(monkeypatch, "predict", *arguments, "accelerator=cpu") == 1
    said = capsys.readouterr()
    assert "bad.png" in said.out + said.err
    assert "Traceback" not in said.out + said.err
    assert said.err.splitlines()[-1] == "error: 1 of the pictures failed, see above; the others are done"
    assert (tmp_path / "out" / "good_mask.png").exists()
