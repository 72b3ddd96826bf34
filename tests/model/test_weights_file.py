"""Weights files: a network comes through half precision; what is none, or lies, is refused in one line."""

import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from grainseg.errors import GrainsegError
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.closing.partition import PartitionSettings
from grainseg.model.checkpoint import CheckpointSpec, load_network, read_checkpoint
from grainseg.model.networks import build_network, network_input
from grainseg.model.weights_file import DESCRIPTION, MAX_DESCRIPTION_LENGTH, read_weights, write_weights

SPEC = CheckpointSpec(
    architecture="unet",
    encoder="tu-mobilenetv3_small_100",
    in_channels=1,
    decoder_width=32,
    options={},
    tile_size=64,
    overlap=32,
    threshold=0.5,
    line_width_px=3.0,
    seed=4,
    steps=1200,
    partition=PartitionSettings(0.3, 0.4, 0.1, 0.01),
    segmentation=SegmentationError(-0.02, 0.01, 3, "three images"),
    versions={"torch": "2.14"},
)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    network = build_network(SPEC.network)
    for _ in range(3):  # statistics of its own for batch normalisation
        network.train()(network_input(torch.rand(4, 1, 64, 64)))
    return network.eval()


@pytest.fixture
def written(network: nn.Module, tmp_path: Path) -> Path:
    path = tmp_path / "a=b (1) ü" / "x.safetensors"
    write_weights(path, asdict(SPEC), network.state_dict())
    return path


def altered(path: Path, description: object = None, **tensors: torch.Tensor | None) -> Path:
    """The file with another description, and tensors replaced, added or, by None, left out."""
    with safe_open(path, "pt") as file:
        held = {name: file.get_tensor(name) for name in file.offset_keys()}
        text = file.metadata()[DESCRIPTION]
    held |= {name.replace("__", "."): value for name, value in tensors.items()}  # type: ignore[misc]
    if description is not None:
        text = description if isinstance(description, str) else json.dumps(description)
    save_file({n: v for n, v in held.items() if v is not None}, path, {DESCRIPTION: text})
    return path


def test_a_network_comes_through(written: Path, network: nn.Module) -> None:
    spec, loaded = load_network(written)
    assert spec == SPEC
    assert not loaded.training
    unit = torch.rand(2, 1, 96, 96)
    with torch.inference_mode():
        before, after = (torch.sigmoid(each(network_input(unit))) for each in (network, loaded))
    assert after.dtype == torch.float32
    torch.testing.assert_close(after, before, rtol=0, atol=5e-3)


def test_the_file_is_half_as_large(written: Path, network: nn.Module) -> None:
    numbers = sum(value.numel() for value in network.state_dict().values() if value.is_floating_point())
    assert 2 * numbers < written.stat().st_size < 2.2 * numbers + 50_000


@pytest.mark.parametrize("value", [1e6, float("nan")])
def test_what_half_precision_cannot_hold_is_refused(value: float, tmp_path: Path) -> None:
    with pytest.raises(GrainsegError, match=r"bias is no number or too large for half precision"):
        write_weights(tmp_path / "x.safetensors", {}, {"bias": torch.tensor([1.0, value])})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["empty", "text", "pickle", "cut", "huge header", "folder", "missing"])
def test_what_is_no_weights_file_is_refused(kind: str, written: Path) -> None:
    whole = written.read_bytes()
    written.unlink()
    if kind == "folder":
        written.mkdir()
    elif kind != "missing":
        written.write_bytes(
            {
                "empty": b"",
                "text": b"hello\n" * 99,
                "pickle": pickle.dumps([1]),
                "cut": whole[: len(whole) // 2],
                "huge header": (2**62).to_bytes(8, "little") + whole[8:],
            }[kind]
        )
    with pytest.raises(GrainsegError) as caught:
        read_checkpoint(written)
    assert str(written) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_too_large_is_not_opened(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grainseg.model.weights_file.MAX_BYTES", 1000)
    with pytest.raises(GrainsegError, match="is larger than"):
        read_weights(written)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("no JSON", "its description is no JSON"),
        ("[" * 9000, "its description is no JSON"),
        ("[1]", "its description is no table"),
        ("x" * (MAX_DESCRIPTION_LENGTH + 1), "was not written by grainseg export"),
        ({"format": 3}, "is missing or cannot be"),
        ({}, "has layout unknown"),
    ],
)
def test_descriptions_that_cannot_be_are_refused(description: object, message: str, written: Path) -> None:
    with pytest.raises(GrainsegError) as caught:
        load_network(altered(written, description))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "os.system"}, "architecture=os.system is unknown"),
        ({"encoder": "tu-hf-hub:someone/something"}, "is unknown"),
        ({"options": {"encoder_weights": "imagenet"}}, "is not an option"),
        ({"decoder_width": 10**9}, "out of range"),
        ({"steps": -1}, "out of range"),
        ({"steps": True}, "'steps' is missing or cannot be"),
        ({"threshold": float("nan")}, "out of range"),
        ({"partition": {"threshold": 0.5}}, "values for the grains cannot be"),
        ({"decoder_width": 64}, "weights do not fit"),
    ],
)
def test_values_that_cannot_be_are_refused(changes: dict[str, Any], message: str, written: Path) -> None:
    with pytest.raises(GrainsegError) as caught:
        load_network(altered(written, asdict(SPEC) | changes))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("segmentation_head__0__bias", torch.zeros(1, dtype=torch.float64), "is of kind F64"),
        ("segmentation_head__0__bias", torch.zeros(1, dtype=torch.uint8), "is of kind U8"),
        ("segmentation_head__0__bias", torch.full((1,), float("nan")), "holds weights that are not finite"),
        ("segmentation_head__0__bias", torch.zeros(3), "weights do not fit"),
        ("segmentation_head__0__bias", None, "weights do not fit"),
        ("surprise", torch.zeros(3), "weights do not fit"),
    ],
)
def test_weights_that_cannot_be_are_refused(
    name: str, value: torch.Tensor | None, message: str, written: Path
) -> None:
    with pytest.raises(GrainsegError) as caught:
        load_network(altered(written, **{name: value}))
    assert message in str(caught.value)
