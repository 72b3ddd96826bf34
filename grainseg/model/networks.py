"""Networks of segmentation-models-pytorch, built by name.

A network is built only from names in that library's own tables and from plain values. A specification in a
checkpoint from a stranger can therefore not run code or access the internet.
"""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from grainseg.errors import GrainsegError

ARCHITECTURES: Mapping[str, type[nn.Module]] = smp.MODEL_ARCHITECTURES_MAPPING
"""All architectures, by name. Add your own here, ``{**smp.MODEL_ARCHITECTURES_MAPPING, "mine": Mine}``, and
choose it with ``model=smp model.architecture=mine``: a module that takes ``encoder_name``,
``encoder_weights``, ``in_channels`` and ``classes`` by name, and as further keywords what ``model.options``
may hold. Its checkpoints load only where the code has this entry. See docs/extending.md."""
_MAX_OPTION = 4096  # largest number in the options: a stranger's checkpoint must not take all memory
_MAX_OPTION_LENGTH = 16
_RESERVED_OPTIONS = frozenset({"encoder_name", "encoder_weights", "in_channels", "classes", "activation"})


def _halving(width: int) -> dict[str, Any]:
    return {"decoder_channels": tuple(width // 2**stage for stage in range(5))}


def _single(width: int) -> dict[str, Any]:
    return {"decoder_channels": width}


_DECODER_WIDTH: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "unet": _halving,
    "unetplusplus": _halving,
    "manet": _halving,
    "deeplabv3": _single,
    "deeplabv3plus": _single,
    "pan": _single,
    "upernet": _single,
    "fpn": lambda width: {
        "decoder_pyramid_channels": width,
        "decoder_segmentation_channels": width // 2,
    },
    "segformer": lambda width: {"decoder_segmentation_channels": width},
}
"""How ``decoder_width``, the width of the widest decoder stage, sets the arguments of each architecture."""


@dataclass(frozen=True)
class NetworkSpec:
    """The specification of a network: all that is needed to build it.

    Attributes:
        architecture: A key of ``ARCHITECTURES``.
        encoder: Name of an encoder of segmentation-models-pytorch, or ``tu-`` and the name of a timm model.
        in_channels: 1 (grey) or 3 (RGB).
        decoder_width: Channels of the widest decoder stage; None leaves the library's default.
        options: Further arguments of the architecture, plain values only.
    """

    architecture: str
    encoder: str
    in_channels: int
    decoder_width: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def build_network(spec: NetworkSpec, encoder_weights: str | None = None) -> nn.Module:
    """Build a network that maps (N, C, H, W) to logits (N, 1, H, W); H and W are multiples of 32.

    Args:
        spec: What to build.
        encoder_weights: None for random weights, ``"imagenet"`` for weights from the library's hub.

    Raises:
        GrainsegError: A name or an option is unknown, or the weights cannot be obtained.
    """
    require_known(spec)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries fill the screen when offline
    try:
        network = _construct(spec, encoder_weights)
    except Exception as error:  # the libraries raise anything from KeyError to a connection's time-out
        detail = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if spec.decoder_width is not None and _fails(spec) and not _fails(replace(spec, decoder_width=None)):
            raise GrainsegError(
                f"model.decoder_width={spec.decoder_width}: {spec.architecture} cannot be built ({detail}); "
                "set another, a larger power of two, say, or model.decoder_width=null for the library's"
            ) from error
        if encoder_weights is not None:
            raise GrainsegError(
                f"model.init={encoder_weights}: the library has no such weights for encoder {spec.encoder}, "
                "or its hub cannot be reached; check the connection or set model.init=scratch"
            ) from error
        raise GrainsegError(
            f"model.architecture={spec.architecture} with model.encoder={spec.encoder} cannot be built "
            f"({detail}); choose another encoder or other model.options"
        ) from error
    # Measured: faster training on CPUs and on GPUs. All commands use it, so that inference rounds alike.
    return network.to(memory_format=torch.channels_last)


def require_known(spec: NetworkSpec) -> None:
    """Check that a network's names and options are known, before anything is built.

    Raises:
        GrainsegError: A name or an option is unknown; the text names the known ones.
    """
    _check_architecture(spec)
    _check_encoder(spec.encoder)


def _construct(spec: NetworkSpec, encoder_weights: str | None) -> nn.Module:
    return ARCHITECTURES[spec.architecture](
        encoder_name=spec.encoder,
        encoder_weights=encoder_weights,
        in_channels=spec.in_channels,
        classes=1,
        **{**_decoder_arguments(spec), **spec.options},
    )


def _fails(spec: NetworkSpec) -> bool:
    """Whether a network cannot be built, whatever its weights."""
    try:
        with on_meta_device():
            _construct(spec, None)
    except Exception:  # anything, as in build_network
        return True
    return False


@contextmanager
def on_meta_device() -> Iterator[None]:
    """Build networks without memory inside this context: their weights have shapes but no values."""
    with torch.device("meta"), _NumbersOnCpu():
        yield


class _NumbersOnCpu(TorchFunctionMode):
    """Keeps ``linspace`` on the CPU: the encoders ``mit_…`` read its values, which ``meta`` tensors lack."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        there = {"device": "cpu"} if func is torch.linspace else {}
        return func(*args, **{**there, **(kwargs or {})})


def _check_architecture(spec: NetworkSpec) -> None:
    if spec.architecture not in ARCHITECTURES:
        raise GrainsegError(
            f"model.architecture={spec.architecture} is unknown; choose one of {', '.join(ARCHITECTURES)}"
        )
    parameters = inspect.signature(ARCHITECTURES[spec.architecture]).parameters
    known = sorted(set(parameters) - _RESERVED_OPTIONS - {"aux_params", "kwargs"})
    for name, value in spec.options.items():
        if name not in known or not _is_plain(value):
            raise GrainsegError(
                f"model.options.{name}={value} is not an option of {spec.architecture}; "
                f"known are {', '.join(known)}"
            )
    if spec.decoder_width is not None and spec.architecture not in _DECODER_WIDTH:
        raise GrainsegError(
            f"model.decoder_width={spec.decoder_width}: {spec.architecture} has no such dial; "
            "set model.decoder_width=null"
        )


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= _MAX_OPTION_LENGTH and all(_is_plain(part) for part in value)
    if isinstance(value, int | float):
        return abs(value) <= _MAX_OPTION
    return value is None or isinstance(value, str)


def _decoder_arguments(spec: NetworkSpec) -> dict[str, Any]:
    if spec.decoder_width is None:
        return {}
    return _DECODER_WIDTH[spec.architecture](spec.decoder_width)


def _check_encoder(name: str) -> None:
    """Accept names from the libraries' own tables only: timm would download a name like ``hf-hub:…``."""
    known = set(smp.encoders.get_encoder_names())
    if name in known:
        return
    timm_name = name.removeprefix("tu-")
    if name.startswith("tu-") and timm_name.partition(".")[0] in set(timm.list_models()):
        return
    close = get_close_matches(name, sorted(known), n=3) or ["resnet18", "resnet34", "efficientnet-b0"]
    raise GrainsegError(
        f"model.encoder={name} is unknown; did you mean {', '.join(close)}? "
        "(any encoder of segmentation-models-pytorch, or tu- and the name of a timm model)"
    )


def parameter_count(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def network_input(unit: torch.Tensor) -> torch.Tensor:
    """Grey levels centred and scaled for a network: [0, 1] becomes [-2, 2].

    After centring, the zeros that convolutions pad with are a middle grey; the scale is close to that of the
    ImageNet statistics that pretrained encoders expect.
    """
    return (unit - 0.5) * 4
