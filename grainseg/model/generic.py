"""Weights that ship with the package: trained on synthetic pictures, for use before any label exists."""

from pathlib import Path

from torch import nn

from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import read_checkpoint
from grainseg.model.networks import NetworkSpec
from grainseg.model.weights_file import SUFFIX

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
"""Holds ``<architecture>_<encoder>.safetensors``."""
DEFAULT = "unet_resnet18"
"""What predicts where no checkpoint is named."""


def shipped_networks() -> list[str]:
    """``<architecture>_<encoder>`` of all weights that this version ships, sorted."""
    return sorted(path.stem for path in WEIGHTS.glob(f"*{SUFFIX}"))


def default_checkpoint() -> Path:
    """The weights file that predicts where no checkpoint is named.

    Raises:
        GrainsegError: This version ships none.
    """
    path = WEIGHTS / f"{DEFAULT}{SUFFIX}"
    if not path.is_file():
        raise GrainsegError(
            "checkpoint is missing: this version ships no weights; "
            "say checkpoint=PATH, the best.ckpt of a training run"
        )
    return path


def load_generic(network: nn.Module, spec: NetworkSpec) -> None:
    """Give a network the weights that ship for it.

    Args:
        network: What ``build_network`` made of ``spec``; changed in place.
        spec: Names the weights.

    Raises:
        GrainsegError: No weights ship for this architecture and encoder, or for another width or number of
            channels; the text names what to set.
    """
    name = f"{spec.architecture}_{spec.encoder}"
    shipped = shipped_networks()
    if not shipped:
        raise GrainsegError(
            "model.init=generic: this version ships no weights; set model.init=scratch or imagenet"
        )
    if name not in shipped:
        others = " or ".join(
            f"model.architecture={architecture} model.encoder={encoder}"
            for architecture, _, encoder in (each.partition("_") for each in shipped)
        )
        raise GrainsegError(
            f"model.init=generic: no weights ship for {spec.architecture} with {spec.encoder}; "
            f"set {others}, or model.init=scratch"
        )
    path = WEIGHTS / f"{name}{SUFFIX}"
    found, weights = read_checkpoint(path)
    for key, value in vars(found.network).items():
        if vars(spec)[key] != value:
            raise GrainsegError(
                f"model.init=generic: the weights for {name} have model.{key}={value}, this run has "
                f"{vars(spec)[key]}; set model.{key}={value}, or model.init=scratch"
            )
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise GrainsegError(
            f"{path}: its weights do not fit its description; install grainseg anew"
        ) from error
