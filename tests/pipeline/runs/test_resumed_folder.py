"""In which folder a run goes on, and what it brings there."""

import shutil
from pathlib import Path
from typing import IO

import pytest

from grainseg.errors import GrainsegError
from grainseg.pipeline.runs.resuming import copy_best_checkpoint, require_own_or_free


class PowerCutError(Exception):
    """Ends a run without any farewell."""


def test_a_run_goes_on_in_its_own_folder_or_in_a_free_one(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        (folder / "checkpoints").mkdir(parents=True)
        for name in ("last", "best"):
            (folder / "checkpoints" / f"{name}.ckpt").write_text(folder.name)
    last = own / "checkpoints" / "last.ckpt"
    require_own_or_free(last, own)
    require_own_or_free(last, tmp_path / "new")
    with pytest.raises(GrainsegError, match=r"other: holds a run already; say resume=.*other/check"):
        require_own_or_free(last, other)
    (other / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(GrainsegError, match="other: holds a run already; say another folder"):
        require_own_or_free(last, other)
    (other / "checkpoints" / "best.ckpt").write_text("own")  # brought by a start that was interrupted
    require_own_or_free(last, other)
    (other / "metrics.json").touch()
    with pytest.raises(GrainsegError, match=r"holds metrics\.json, which a run would overwrite"):
        require_own_or_free(last, other)


def test_a_best_checkpoint_that_was_cut_off_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it was copied, the run's next start would take the part for the whole."""
    last, best = (tmp_path / "old" / "checkpoints" / f"{name}.ckpt" for name in ("last", "best"))
    best.parent.mkdir(parents=True)
    best.write_bytes(b"whole")

    def cut_off(source: IO[bytes], target: IO[bytes]) -> None:
        target.write(source.read(2))
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", cut_off)
        with pytest.raises(PowerCutError):
            copy_best_checkpoint(last, tmp_path / "new")
    copy_best_checkpoint(last, tmp_path / "new")
    best.write_bytes(b"of before")  # while the run has one of its own by now
    copy_best_checkpoint(last, tmp_path / "new")
    assert (tmp_path / "new" / "checkpoints" / "best.ckpt").read_bytes() == b"whole"
