"""Checkpoints that would fill the memory, or hold what no network can have."""

import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from grainseg.errors import GrainsegError
from grainseg.model import archive
from grainseg.model.checkpoint import KEY, load_network


@pytest.fixture(scope="module")
def content(checkpoint: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    return loaded


def nested(weight: torch.Tensor) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nested.nested_tensor([weight[0], weight[1]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weight: weight * float("nan"), r"holds weights that are not finite \(encoder\."),
        (lambda weight: weight / 0, r"holds weights that are not finite \(encoder\."),
        (lambda weight: weight.to(torch.complex64), "do not fit"),
        (torch.Tensor.int, "do not fit"),
        (nested, "do not fit|not a checkpoint, or cut off"),  # from PyTorch 2.15 on it does not even load
    ],
)
def test_weights_that_cannot_be_are_refused(
    content: dict[str, Any], tmp_path: Path, change: Callable[[torch.Tensor], torch.Tensor], words: str
) -> None:
    state = dict(content["state_dict"])
    first = next(iter(state))
    path = tmp_path / "a.ckpt"
    torch.save(content | {"state_dict": state | {first: change(state[first])}}, path)
    with pytest.raises(GrainsegError) as caught:
        load_network(path)
    assert str(caught.value).startswith(f"checkpoint {path}: ")
    assert re.search(words, str(caught.value))


@pytest.mark.parametrize("width", [float("nan"), float("inf"), 0.0, -5.0, 1e308])
def test_a_width_of_lines_that_cannot_be_is_refused(
    content: dict[str, Any], tmp_path: Path, width: float
) -> None:
    torch.save(content | {KEY: content[KEY] | {"line_width_px": width}}, tmp_path / "a.ckpt")
    with pytest.raises(GrainsegError, match="a value of its description is out of range"):
        load_network(tmp_path / "a.ckpt")


def test_a_file_that_unpacks_to_more_than_it_is_is_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/data.pkl", bytes(100_000))
    with pytest.raises(GrainsegError, match="unpacks to more than it is"):
        load_network(path)
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    with pytest.raises(GrainsegError, match="unpacks to more than"):
        load_network(checkpoint)


def test_records_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """Stored as they are, within the limit, and yet more than the file has."""
    path = tmp_path / "a.ckpt"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a/data.pkl", bytes(1000))
        packed.filelist *= 20
    with pytest.raises(GrainsegError, match="unpacks to more than it is"):
        load_network(path)


def test_weights_that_changed_on_the_way_are_refused(tmp_path: Path) -> None:
    path, weight = tmp_path / "a.ckpt", torch.arange(99.0)
    torch.save({"weight": weight}, path)
    written = bytearray(path.read_bytes())
    written[written.index(weight.numpy().tobytes())] ^= 1
    path.write_bytes(written)
    with pytest.raises(GrainsegError, match=r"is damaged \(.*\); copy it again"):
        load_network(path)
