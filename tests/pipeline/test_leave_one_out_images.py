"""Which images and settings leave-one-out takes."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import compose_train

from grainseg.config import TrainConfig
from grainseg.errors import GrainsegError
from grainseg.pipeline.leave_one_out import leave_one_out, left_out_images


@pytest.fixture(scope="session")
def config(smoke_config: TrainConfig) -> TrainConfig:
    return replace(smoke_config, leave_one_out=True)


@pytest.mark.parametrize(
    ("count", "test", "message"),
    [
        (2, None, "holds 2 labelled images that do not test; leave_one_out needs at least 3"),
        (3, ["f0"], "holds 2 labelled images that do not test"),
        (17, None, "holds 17 labelled images, leave_one_out trains a network for each of up to 16"),
    ],
)
def test_too_few_or_too_many_images_are_refused_before_training(
    count: int, test: list[str] | None, message: str, config: TrainConfig, tmp_path: Path
) -> None:
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for number in range(count):
            (tmp_path / kind / f"f{number}.png").touch()
    data = replace(config.data, root=str(tmp_path), test=test)
    with pytest.raises(GrainsegError, match=message):
        leave_one_out(replace(config, data=data), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_images_that_test_are_never_left_out(config: TrainConfig, tmp_path: Path) -> None:
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for stem in "dbace":
            (tmp_path / kind / f"{stem}.png").touch()
    assert left_out_images(replace(config.data, root=str(tmp_path), test=["b"])) == ["a", "c", "d", "e"]
    for kind in ("images", "masks"):
        (tmp_path / kind / "ü.png").touch()
    data = replace(config.data, root=str(tmp_path), test=["u\u0308"])  # as macOS writes ü
    assert left_out_images(data) == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=stream", "augment=stream"], "leave_one_out: needs a folder of labelled images"),
        (["data.val=[a]"], r"data\.val=\['a'\]: leave_one_out lets every image validate once"),
        (["data.fold=0", "data.folds=5"], r"data\.fold=0: leave_one_out lets every image validate once"),
        (["resume=x/last.ckpt"], "leave_one_out goes on by itself; say hydra"),
        (["trainer=ddp"], "leave_one_out cannot start several processes; say trainer=auto"),
        (["trainer=cpu", "trainer.devices=2"], r"trainer\.devices=2: leave_one_out cannot start several"),
        (["trainer.devices=auto"], r"trainer\.devices=auto: leave_one_out cannot start several"),
        (["leave_one_out=often"], "leave_one_out: "),
    ],
)
def test_what_contradicts_it_is_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(GrainsegError, match=message):
        compose_train("experiment=leave_one_out", *overrides)
