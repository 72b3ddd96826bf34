"""Weights that ship: taken over as they are, refused for any other network with the fix named."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from grainseg.errors import GrainsegError
from grainseg.model import generic
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.generic import default_checkpoint, load_generic, shipped_networks
from grainseg.model.networks import NetworkSpec, build_network
from grainseg.model.weights_file import write_weights

SPEC = CheckpointSpec("unet", "tu-mobilenetv3_small_100", 1, 16, {}, 64, 32, 0.5, 3.0, 0)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that ships one file of weights."""
    monkeypatch.setattr(generic, "WEIGHTS", tmp_path)
    torch.manual_seed(1)
    path = tmp_path / "unet_tu-mobilenetv3_small_100.safetensors"
    write_weights(path, asdict(SPEC), build_network(SPEC.network).state_dict())
    (tmp_path / "README.md").touch()
    return path


def test_a_network_takes_over_what_ships(shipped: Path) -> None:
    assert shipped_networks() == [shipped.stem]
    torch.manual_seed(1)
    expected = build_network(SPEC.network).state_dict()
    network = build_network(SPEC.network)
    load_generic(network, SPEC.network)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-6)
        assert value.dtype == expected[name].dtype


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"encoder": "resnet18"},
            "no weights ship for unet with resnet18; set model.architecture=unet "
            "model.encoder=tu-mobilenetv3_small_100, or model.init=scratch",
        ),
        ({"architecture": "unetplusplus"}, "no weights ship for unetplusplus with"),
        ({"decoder_width": 32}, "have model.decoder_width=16, this run has 32; set model.decoder_width=16"),
        ({"in_channels": 3}, "set model.in_channels=1, or model.init=scratch"),
        ({"options": {"encoder_depth": 4}}, "set model.options={}, or model.init=scratch"),
    ],
)
def test_another_network_is_refused_and_the_fix_named(
    changes: dict[str, object], message: str, shipped: Path
) -> None:
    spec: NetworkSpec = replace(SPEC.network, **changes)  # type: ignore[arg-type]
    with pytest.raises(GrainsegError) as caught:
        load_generic(torch.nn.Identity(), spec)
    assert str(caught.value).startswith("model.init=generic: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_version_without_weights_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generic, "WEIGHTS", tmp_path)
    with pytest.raises(GrainsegError, match=r"ships no weights; set model\.init=scratch"):
        load_generic(torch.nn.Identity(), SPEC.network)
    with pytest.raises(GrainsegError, match=r"checkpoint is missing: .*; say checkpoint=PATH"):
        default_checkpoint()


def test_what_ships_can_be_loaded_and_is_described() -> None:
    card = (generic.WEIGHTS / "README.md").read_text(encoding="utf-8")
    for name in shipped_networks():
        found = NetworkSpec(*name.split("_", 1), 1, 128)  # the default width
        load_generic(build_network(found), found)
        assert name in card
