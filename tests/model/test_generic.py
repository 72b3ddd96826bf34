"""Weights that ship: taken over as they are, refused for any other network with the fix named."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from helpers import compose_train

from grainseg.errors import GrainsegError
from grainseg.model import generic
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.generic import default_checkpoint, load_generic, shipped_networks, shipped_weights
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
    assert load_generic(network, SPEC.network).steps == SPEC.steps
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-6)
        assert value.dtype == expected[name].dtype


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"encoder": "resnet18"},
            "no weights ship for unet with resnet18; set model.encoder=tu-mobilenetv3_small_100, or "
            "model.init=scratch",
        ),
        (
            {"architecture": "unetplusplus"},
            "no weights ship for unetplusplus with tu-mobilenetv3_small_100; set model.architecture=unet "
            "model.encoder=tu-mobilenetv3_small_100, or",
        ),
        ({"decoder_width": 32}, "have model.decoder_width=16, this run has 32; set model.decoder_width=16"),
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


def test_no_weights_for_an_architecture_show_before_it_is_built(shipped: Path) -> None:
    assert shipped_weights(SPEC.network) == shipped
    with pytest.raises(GrainsegError, match=r"model\.init=generic: no weights ship for fpn with "):
        shipped_weights(replace(SPEC.network, architecture="fpn"))  # whose width cannot be built
    with pytest.raises(GrainsegError, match=r"model\.architecture=fpnn is unknown"):
        shipped_weights(replace(SPEC.network, architecture="fpnn"))


def test_a_network_for_rgb_answers_a_grey_picture_alike(shipped: Path) -> None:
    torch.manual_seed(2)
    grey = build_network(SPEC.network)
    colour = build_network(replace(SPEC.network, in_channels=3))
    load_generic(grey, SPEC.network)
    load_generic(colour, replace(SPEC.network, in_channels=3))
    picture = torch.rand(2, 1, 64, 64) * 4 - 2
    with torch.inference_mode():
        expected = grey.eval()(picture)
        torch.testing.assert_close(
            colour.eval()(picture.expand(-1, 3, -1, -1)), expected, rtol=1e-4, atol=1e-5
        )
        tinted = colour(picture * torch.tensor([2.0, 1.0, 0.5])[:, None, None])
    assert (tinted - expected).abs().max() > 1e-3


def test_weights_for_rgb_do_not_become_grey(shipped: Path) -> None:
    colour = replace(SPEC, in_channels=3)
    write_weights(shipped, asdict(colour), build_network(colour.network).state_dict())
    with pytest.raises(GrainsegError, match=r"set model\.in_channels=3, or model\.init=scratch"):
        load_generic(build_network(SPEC.network), SPEC.network)


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


def test_the_default_networks_start_from_the_weights_that_ship() -> None:
    """Wherever architectures are compared, or the weights are made, all start from scratch."""
    shipped = ("unet", "unetplusplus", "deeplabv3plus")
    assert shipped_networks() == sorted(f"{name}_resnet18" for name in shipped)
    for name in shipped:
        default = compose_train(f"model={name}").model
        assert (default.architecture, default.encoder, default.init) == (name, "resnet18", "generic")
    for overrides in (
        ("model=smp", "model.architecture=fpn"),
        *((f"experiment={name}",) for name in ("compare_architectures", "pretrain", "smoke")),
    ):
        assert compose_train(*overrides).model.init == "scratch"
    assert compose_train("experiment=pretrain", "model.init=generic").model.init == "generic"
