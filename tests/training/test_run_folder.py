"""Which run may take a folder, by what lies in it."""

from pathlib import Path

import pytest

from grainseg.errors import GrainsegError
from grainseg.training.run_folder import (
    BEST,
    LAST,
    checkpoint_path,
    fold_dir,
    read_config,
    require_free,
    require_free_or_folds,
)


def with_checkpoints(run_dir: Path, *names: str) -> Path:
    for name in names:
        path = checkpoint_path(run_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return run_dir


def test_an_empty_folder_and_a_run_without_a_checkpoint_are_free(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{seed: 0, data: {}, augment: {}, model: {}}")
    (tmp_path / "run.json").write_text("{}")
    for folder in (tmp_path, tmp_path / "new"):
        require_free(folder)
        require_free_or_folds(folder)


@pytest.mark.parametrize(
    ("names", "way"),
    [((BEST, LAST), r"say resume=.*last\.ckpt to go on with it"), ((BEST,), "already; say another folder")],
)
def test_an_ordinary_run_is_kept(names: tuple[str, ...], way: str, tmp_path: Path) -> None:
    run_dir = with_checkpoints(tmp_path, *names)
    with pytest.raises(GrainsegError, match=way):
        require_free(run_dir)
    with pytest.raises(GrainsegError, match="holds a run that is not leave-one-out; say another folder"):
        require_free_or_folds(run_dir)


@pytest.mark.parametrize("names", [(), (BEST,)])
def test_folds_are_kept_and_can_go_on(names: tuple[str, ...], tmp_path: Path) -> None:
    run_dir = with_checkpoints(tmp_path, *names)
    with_checkpoints(fold_dir(run_dir, 0), BEST, LAST)
    with pytest.raises(GrainsegError, match="say leave_one_out=true to go on with its folds"):
        require_free(run_dir)
    require_free_or_folds(run_dir)


@pytest.mark.parametrize("name", ["config.yaml", "metrics.json", "predictions", "run.json"])
def test_what_is_not_a_runs_own_is_kept(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{data: a}")
    for require in (require_free, require_free_or_folds):
        with pytest.raises(GrainsegError, match=f"holds {name}, which a run would overwrite; say another"):
            require(tmp_path)


def test_leave_one_out_takes_no_events_but_its_own(tmp_path: Path) -> None:
    """An ordinary run adds its events to those of its start before; leave-one-out replaces them."""
    (tmp_path / "tensorboard").mkdir()
    require_free(tmp_path)
    with pytest.raises(GrainsegError, match="holds tensorboard, which"):
        require_free_or_folds(tmp_path)
    fold_dir(tmp_path, 0).mkdir()
    require_free_or_folds(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{10 * f'*a{n - 1},'}]" for n in range(1, 10))]),
        "a: " + 100_000 * "[",
        200_001 * " ",
    ],
    ids=["aliases of aliases", "nested", "long"],
)
def test_configurations_that_no_run_wrote_are_refused_at_once(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GrainsegError, match=r"config\.yaml: cannot be read; remove it"):
        read_config(path, "remove it")
