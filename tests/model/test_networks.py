"""Networks by name: shapes, widths, and nothing but names from the tables."""

import pytest
import segmentation_models_pytorch as smp
import torch

from grainseg.errors import GrainsegError
from grainseg.model.networks import (
    ARCHITECTURES,
    NetworkSpec,
    build_network,
    network_input,
    parameter_count,
)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("architecture", ["unet", "unetplusplus", "deeplabv3plus"])
def test_logits_have_the_size_of_the_picture(architecture: str, channels: int) -> None:
    network = build_network(NetworkSpec(architecture, "resnet18", channels, 32)).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, channels, 64, 96)).shape == (2, 1, 64, 96)


WITHOUT_TRANSFORMER = sorted(set(smp.MODEL_ARCHITECTURES_MAPPING) - {"dpt"})


@pytest.mark.parametrize("architecture", WITHOUT_TRANSFORMER)
def test_any_architecture_of_the_library_can_be_built(architecture: str) -> None:
    network = build_network(NetworkSpec(architecture, "tu-mobilenetv3_small_100", 1))
    assert parameter_count(network) > 1e5


@pytest.mark.parametrize(
    "architecture", ["unet", "unetplusplus", "manet", "deeplabv3plus", "fpn", "segformer"]
)
def test_the_decoder_width_is_a_dial(architecture: str) -> None:
    narrow, wide = (
        parameter_count(build_network(NetworkSpec(architecture, "resnet18", 1, width))) for width in (64, 128)
    )
    assert narrow < wide


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (NetworkSpec("unett", "resnet18", 1), "model.architecture=unett is unknown; choose one of unet,"),
        (NetworkSpec("unet", "resnet81", 1), "model.encoder=resnet81 is unknown; did you mean resnet18"),
        (NetworkSpec("unet", "tu-hf-hub:a/b", 1), "model.encoder=tu-hf-hub:a/b is unknown"),
        (NetworkSpec("unet", "tu-local-dir:/x", 1), "model.encoder=tu-local-dir:/x is unknown"),
        (NetworkSpec("linknet", "resnet18", 1, 64), "model.decoder_width=64: linknet has no such dial"),
        (NetworkSpec("unet", "resnet18", 1, 64, {"classes": 9}), "model.options.classes=9 is not an option"),
        (
            NetworkSpec("unet", "resnet18", 1, 64, {"encoder_weights": "imagenet"}),
            "model.options.encoder_weights=imagenet is not an option",
        ),
        (
            NetworkSpec("unet", "resnet18", 1, None, {"decoder_channels": [1, 2]}),
            "model.architecture=unet with model.encoder=resnet18 cannot be built",
        ),
        (
            NetworkSpec("fpn", "resnet18", 1, 16),
            "model.decoder_width=16: fpn cannot be built (num_channels",
        ),
    ],
)
def test_what_cannot_be_built_is_named(spec: NetworkSpec, message: str) -> None:
    with pytest.raises(GrainsegError) as caught:
        build_network(spec)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_an_unreachable_hub_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise OSError("no route\nto host")

    monkeypatch.setitem(ARCHITECTURES, "unet", unreachable)
    with pytest.raises(GrainsegError, match=r"model\.init=imagenet: .* set model\.init=scratch$"):
        build_network(NetworkSpec("unet", "resnet18", 1), "imagenet")


def test_an_architecture_of_ones_own_is_built_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(torch.nn.Conv2d):
        def __init__(self, encoder_name, encoder_weights, in_channels, classes, kernel=3):
            super().__init__(in_channels, classes, kernel, padding="same")

    monkeypatch.setattr("grainseg.model.networks.ARCHITECTURES", {**ARCHITECTURES, "mine": Mine})
    network = build_network(NetworkSpec("mine", "resnet18", 1, options={"kernel": 5}))
    assert network(torch.zeros(2, 1, 32, 64)).shape == (2, 1, 32, 64)
    assert parameter_count(network) == 26


def test_the_network_sees_centred_grey_levels() -> None:
    assert network_input(torch.tensor([0.0, 0.5, 1.0])).tolist() == [-2.0, 0.0, 2.0]
