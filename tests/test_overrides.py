"""Paths and names reach the configuration as they were typed, whatever Hydra's grammar makes of them."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from grainseg import overrides
from grainseg.errors import GrainsegError
from grainseg.overrides import check_command_line, quote_override


def value_of(argument: str) -> object:
    return OverridesParser.create().parse_override(quote_override(argument)).value()


@pytest.mark.parametrize(
    "typed",
    [
        "a=b (1) ü,#.png",
        "it's.png",
        "back\\slash\\'quote.png",
        "ends\\",
        "{x}[1]*.tif",
        "${HOME}/x.png",
        "two words/epoch=3.ckpt",
        "'quoted'",
        '"double"',
        "a:b,c",
        "null.png",
        "~/$x%&!",
    ],
)
def test_paths_are_taken_as_typed(typed: str) -> None:
    paths = "data.root ++resume checkpoint images output masks batches excluded ignored robustness"
    for key in paths.split():
        override = OverridesParser.create().parse_override(quote_override(f"{key}={typed}"))
        assert override.key_or_group == key.lstrip("+")
        assert OmegaConf.create({"path": override.value()}).path == typed


@pytest.mark.parametrize("folder", ["runs/a=b (1)", "/home/jörg/c", "it's", "a,b"])
def test_folders_of_hydra_are_taken_as_typed(folder: str) -> None:
    assert value_of(f"hydra.run.dir={folder}") == folder


def test_folders_of_hydra_may_be_put_together() -> None:
    dir_ = OmegaConf.create({"name": "x", "dir": value_of("hydra.run.dir=out (1)/${name}")}).dir
    assert dir_ == "out (1)/x"


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("[2024_01]", ["2024_01"]),
        ("[12_3, 12_4]", ["12_3", "12_4"]),
        ("[5e3,true,null,012]", ["5e3", "true", "null", "012"]),
        ("[a (1),ü=#]", ["a (1)", "ü=#"]),
        ('["a,b"]', ["a,b"]),
        ("['Schliff #2 [quer]']", ["Schliff #2 [quer]"]),
        ("[1_2, \"a [b],c\" ,'[d]']", ["1_2", "a [b],c", "[d]"]),
        ('["1_2",3_4]', ["1_2", "3_4"]),
        ("[it's,$x]", ["it's", "$x"]),
        ("[]", []),
        ("[ ]", []),
    ],
)
def test_images_have_the_names_that_were_typed(typed: str, names: list[str]) -> None:
    """``2024_01`` is a number for Hydra, and the image 202401 another one."""
    for key in ("data.val", "+data.test"):
        assert value_of(f"{key}={typed}") == names


def test_what_lightning_hands_to_further_processes_stays() -> None:
    """It puts the folder in quotes: doubled, they would become part of its name."""
    for folder in ("/runs/a", "/runs/a (1)"):
        assert value_of(f'hydra.run.dir="{folder}"') == folder
        assert value_of(f"hydra.run.dir='{folder}'") == folder


def test_one_image_without_brackets_keeps_its_name_for_the_message() -> None:
    assert value_of("data.val=2024_01") == "2024_01"


def test_sweeps_over_names_are_sweeps() -> None:
    override = OverridesParser.create().parse_override(quote_override("name=1_2,3_4"))
    assert list(override.sweep_string_iterator()) == ["'1_2'", "'3_4'"]


def test_sweeps_over_images_are_sweeps() -> None:
    override = OverridesParser.create().parse_override(
        quote_override("data.val=[1_2],['3 [4]'],[it's],[that's]")
    )
    assert override.is_sweep_override()
    swept = ["['1_2']", "['3 [4]']", r"['it\'s']", r"['that\'s']"]
    assert list(override.sweep_string_iterator()) == swept


@pytest.mark.parametrize(
    ("typed", "swept"),
    [
        ("a,b (1)", ["a", "b (1)"]),
        ("'a', 'b (1)'", ["a", "b (1)"]),
        ("choice(a,b (1))", ["a", "b (1)"]),
        ("choice(a,nowhere)", ["a", "nowhere"]),  # which its job will miss
        ("nowhere,a", ["nowhere", "a"]),
        ("nowhere,neither", None),
        ("a,c", None),  # is a folder
        ("a", None),
        ("a," + "x" * 300, ["a", "x" * 300]),
        ("x" * 300, None),
    ],
)
def test_sweeps_over_folders_are_sweeps(
    typed: str, swept: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b (1)", "a,c"):
        Path(name).mkdir()
    assert value_of(f"data.root={typed}") == typed
    override = OverridesParser.create().parse_override(quote_override(f"data.root={typed}", sweep=True))
    if swept is None:
        assert override.value() == typed
    else:
        assert list(override.sweep_string_iterator()) == [f"'{name}'" for name in swept]


@pytest.mark.parametrize("name", ["2024_01", "1e3", "true", "steel-7.2"])
def test_a_name_is_a_text(name: str) -> None:
    assert value_of(f"name={name}") == name


def test_other_overrides_are_left_alone() -> None:
    for argument in (
        "model=unet,unetplusplus",
        "resume=null",
        "--multirun",
        "data.tile_size=64",
        "imagesx=a=b",
        "data.val=null",
        "data.val=[]",
        "data.val=['a,b']",
        "name=${model.name}",
    ):
        assert quote_override(argument) == argument


@pytest.mark.parametrize(("installed", "refused"), [("2.1.9", True), ("1.4.54", False)])
def test_a_study_on_disk_says_which_libraries_it_needs(
    installed: str, refused: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(overrides, "version", lambda name: installed)
    arguments = ["-m", "hydra.sweeper.storage=sqlite:///tune.db"]
    with pytest.raises(GrainsegError, match="sqlalchemy<2") if refused else nullcontext():
        check_command_line(arguments, tmp_path)
    check_command_line(["-m", "hydra.sweeper.storage=null"], tmp_path)
