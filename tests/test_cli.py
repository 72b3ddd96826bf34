"""The ``grainseg`` command as a person starts it."""

import logging
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, csv_rows
from PIL import Image

from grainseg.config.command_line import as_options, crop_of, pixel_size_of
from grainseg.console import escape_log_lines, prepare_console, say
from grainseg.errors import GrainsegError
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.micrograph.wide.contact_sheet import contact_sheet
from grainseg.model.checkpoint import load_network
from grainseg.pipeline.synth import synth

GRAINSEG = [sys.executable, "-m", "grainseg.cli"]
ROBUSTNESS = ["robustness", "--data", "nowhere", "--output", "out"]


def grainseg(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GRAINSEG, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    for number in range(4):
        path = tmp_path / "my masks (ü)" / f"{'ab'[number // 2]}" / f"x=1,{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = boundary_lines(polycrystal(number, (160, 160), 25.0, 0.3, 3))
        Image.fromarray(lines * np.uint8(255)).save(path)
    return tmp_path / "my masks (ü)"


def test_measure_then_compare(masks: Path, tmp_path: Path) -> None:
    done = grainseg("measure", str(masks), "--output", "out", "--pixel-size-um", "[0.5,0.5]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("a: mean intercept ")
    assert "G " in done.stdout.splitlines()[0]
    assert "report:   out/report.html" in done.stdout
    written = (path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert {path.relative_to(tmp_path / "out").as_posix() for path in written} == {
        *(f"{'ab'[number // 2]}/x=1,{number}_grains.tif" for number in range(4)),
        "grains.csv",
        "fields.csv",
        "batches.csv",
        "budget.csv",
        "comparisons.csv",
        "report.html",
    }
    compared = grainseg("compare", "out", cwd=tmp_path)
    assert compared.returncode == 0, compared.stderr
    assert "Not enough fields" in compared.stdout


def test_terminated_while_it_writes_it_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from grainseg.console import prepare_console\n"
        "from grainseg.micrograph.formats.replacing import replacing; prepare_console()\n"
        "with replacing(Path('a.csv')) as handle: os.kill(os.getpid(), signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (143, "terminated\n")
    assert not list(tmp_path.iterdir())


def test_interrupted_it_says_so_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        prepare_console()
        with pytest.raises(SystemExit) as caught:
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert caught.value.code == 130
    assert capfd.readouterr().err == "interrupted; files that were complete stay, and no others\n"


def test_names_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("a: G 7.2 ± 0.3\nmask: b\x1b]0;c\x07\r.png", sys.stderr)
    assert capsys.readouterr() == ("", "a: G 7.2 ± 0.3\nmask: b\\x1b]0;c\\x07\\r.png\n")


def test_log_lines_of_ours_stay_lines(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    try:
        escape_log_lines()
        for name in ("grainseg.data", "other"):
            logging.getLogger(name).warning("%s: é", "a\nERROR: b\x1b[31m.png")
    finally:
        logging.setLogRecordFactory(before)
    assert caplog.messages == ["a\\nERROR: b\\x1b[31m.png: é", "a\nERROR: b\x1b[31m.png: é"]


def test_two_numbers_with_points_are_no_decimal() -> None:
    with pytest.raises(GrainsegError, match=r"say \[0\.6,1\.2\] for rows and columns$"):
        pixel_size_of("0.6,1.2")


def test_a_crop_may_stand_in_brackets_as_for_predict() -> None:
    assert crop_of("[0,60, 0,0]") == crop_of("0,60,0,0") == [0, 60, 0, 0]


def test_messages_name_options_and_leave_paths_alone() -> None:
    names = {"boundary_value": "--boundary-value", "crop": "--crop", "data.root": "DATA_ROOT"}
    assert as_options("data.boundary_value=7: crop=1 too", names) == "--boundary-value=7: --crop=1 too"
    assert as_options("a/crop=1.png: masks=x", names) == "a/crop=1.png: masks=x"
    assert as_options("sample.crop: is no PNG", names) == "sample.crop: is no PNG"
    assert as_options("data.root=x: root=y", names) == "DATA_ROOT=x: root=y"
    assert as_options("a crop; set data.boundary_value to it", names) == "a crop; set --boundary-value to it"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["measure", "nowhere", "--output", "out"], "MASKS=nowhere: no such file"),
        (
            ["measure", "nowhere", "--output", "out", "--pores", "excluded"],
            "--pores=excluded: nothing says where",
        ),
        (["measure", "nowhere", "--output", "out", "--pixel-size-um", "0"], "--pixel-size-um=0.0: must be"),
        (
            ["measure", "nowhere", "--output", "out", "--pixel-size-um", "x"],
            "--pixel-size-um=x: must be numbers",
        ),
        (
            ["measure", "nowhere", "--output", "out", "--pixel-size-um", "1,25"],
            "--pixel-size-um=1,25: say [1,25] for rows and columns or, for a decimal, 1.25",
        ),
        (
            ["measure", "nowhere", "--output", "out", "--crop", "1,2"],
            "--crop=1,2: must be auto, none, or TOP",
        ),
        (
            ["measure", "nowhere", "--output", "out", "--kind", "x"],
            "--kind=x: must be one of boundary, grains",
        ),
        (["compare", "no\x1b[31m"], r"no\x1b[31m/fields.csv: cannot be read"),
        (["export", "nowhere.ckpt", "x.safetensors"], "checkpoint nowhere.ckpt: there is no such file"),
        pytest.param(
            ["export", "nowhere.ckpt", "x.pt"], "x.pt: is written as safetensors", marks=pytest.mark.slow
        ),
        pytest.param(
            [*ROBUSTNESS, "--checkpoint", "nowhere.ckpt"],
            "checkpoint nowhere.ckpt: there is no such file",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [*ROBUSTNESS, "--checkpoint", "{checkpoint}"],
            "--data=nowhere: there is no such folder",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["baseline", "nowhere", "--output", "out"],
            "DATA_ROOT=nowhere: there is no such folder",
            marks=pytest.mark.slow,
        ),
        ([*ROBUSTNESS, "--checkpoint", "{checkpoint}", "--seed", "-1"], "--seed=-1: must be a whole number"),
        (
            [*ROBUSTNESS, "--checkpoint", "{checkpoint}", "--accelerator", "x"],
            "--accelerator=x: must be one of auto, cpu, gpu, mps",
        ),
        (["suggest", "nowhere", "--output", "out", "--count", "0"], "--count=0: must be 1 to 1000"),
        (
            ["suggest", "nowhere", "--output", "out", "--crop", "1,2"],
            "--crop=1,2: must be auto, none, or TOP",
        ),
        pytest.param(
            ["suggest", "nowhere", "--output", "out"],
            "IMAGES=nowhere: no such file, or no pictures there",
            marks=pytest.mark.slow,
        ),
        (["synth", "--sheet", "sheet.jpg"], "--sheet=sheet.jpg: is written as PNG"),
        (["synth", "--sheet", "a.png", "--rows", "0"], "--rows=0: must be 1 or more"),
        (["synth", "--sheet", "a.png", "--side", "8"], "--side=8: must be 32 or more"),
        (["synth", "--sheet", "a.png", "--seed", "-1"], "--seed=-1: must be 0 or more"),
        (["synth", "--sheet", "a.png", "--side", "9999"], "--sheet=a.png: 4 × 3 pictures of 9999 px make"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], message: str, checkpoint: Path, tmp_path: Path
) -> None:
    filled = [argument.replace("{checkpoint}", str(checkpoint)) for argument in arguments]
    done = grainseg(*filled, cwd=tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {message}")


def test_a_failing_file_is_named_and_the_exit_code_says_so(masks: Path, tmp_path: Path) -> None:
    (masks / "a" / "x=1,0.png").write_bytes(b"no picture")
    done = grainseg("measure", str(masks), "--output", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "x=1,0.png" in done.stdout
    assert "1 of the files failed" in done.stderr
    assert (tmp_path / "out" / "report.html").is_file()
    flags = {row["flags"] for row in csv_rows(tmp_path / "out" / "fields.csv")}
    assert all("as in --pixel-size-um=0.25" in flag and "pixel_size_um" not in flag for flag in flags)


def test_measuring_needs_no_torch(masks: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from grainseg import cli\n"
        f"sys.argv = ['grainseg', 'measure', {str(masks)!r}, '--output', 'out']\n"
        "try:\n    cli.main()\n"
        "finally:\n    assert not {'torch', 'lightning', 'hydra', 'albumentations'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").is_file()


def test_synth_writes_a_sheet(tmp_path: Path) -> None:
    name = "my sheets (ü)/x=1.PNG"
    options = ("--rows", "1", "--columns", "2", "--side", "64", "--seed", "5")
    done = grainseg("synth", "--sheet", name, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{name}: seeds 5 to 6, 64 px\n"
    sheet = np.asarray(Image.open(tmp_path / name))
    np.testing.assert_array_equal(sheet, contact_sheet(5, 1, 2, 64))
    synth(tmp_path / name, 1, 1, 32, 0)  # its own sheet may be made anew
    assert np.asarray(Image.open(tmp_path / name)).shape[1] < sheet.shape[1]
    Image.fromarray(sheet).save(tmp_path / "of another program.png")
    with pytest.raises(GrainsegError, match=r"program\.png: was not written by grainseg; remove it, or give"):
        synth(tmp_path / "of another program.png", 1, 1, 32, 0)


@pytest.mark.slow
def test_export_writes_weights_that_predict(checkpoint: Path, tmp_path: Path) -> None:
    done = grainseg("export", str(checkpoint), "my weights (ü).safetensors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("my weights (ü).safetensors: unet with tu-mobilenetv3_small_100, ")
    assert "after 0 steps" in done.stdout
    spec, _ = load_network(tmp_path / "my weights (ü).safetensors")
    assert spec == load_network(checkpoint)[0]


@pytest.mark.slow
def test_robustness_makes_a_card(checkpoint: Path, fields: Path, tmp_path: Path) -> None:
    options = ("--checkpoint", str(checkpoint), "--data", str(fields), "--test", "f2", "--accelerator", "cpu")
    done = grainseg("robustness", *options, "--output", "my card (ü)", "--tensorboard", "board", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Images: the images that were named (1: unknown whether it trained the network)."
    assert lines[1].startswith("network: IoU of the untouched pictures 0.")
    for line, words in zip(lines[2:5], ("Mean over the card", "Worst cell", "Largest drift"), strict=True):
        assert line.split(maxsplit=1)[0] in ("met", "MISSED")
        assert words in line
    assert "under all that is no change of light" in lines[5]
    assert lines[6].strip().startswith("Doubt, which needs no label: rank correlation ")
    assert lines[7] == "page:         my card (ü)/robustness.html"
    assert lines[8] == "TensorBoard:  tensorboard --logdir board"
    assert {path.name for path in (tmp_path / "my card (ü)").iterdir()} == {
        "robustness.csv",
        "robustness_images.csv",
        "robustness.html",
        "robustness.png",
        "robustness.json",
    }
    assert (tmp_path / "board" / "robustness_network").is_dir()


@pytest.mark.slow
def test_suggest_says_what_to_label_first(checkpoint: Path, fields: Path, tmp_path: Path) -> None:
    options = ("--checkpoint", str(checkpoint), "--output", "next (ü)", "--count", "2", "--window-px", "64")
    done = grainseg("suggest", str(fields / "images" / "*.png"), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\nlabel first: f" in done.stdout
    assert "data.ignore_value=128" in done.stdout
    assert {path.name for path in (tmp_path / "next (ü)").iterdir()} == {
        "suggestions.csv",
        "suggested_images.csv",
        "suggestions.png",
    }


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, grainseg.cli;"
        "print(sorted({'torch', 'numpy', 'scipy', 'cv2', 'matplotlib', 'omegaconf'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() in ("[]", "['omegaconf']")
