"""Weights that ship with the package, trained on synthetic pictures, for use before any label exists."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import CheckpointSpec, read_checkpoint
from grainseg.model.networks import NetworkSpec, require_known
from grainseg.model.weights_file import SUFFIX

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
"""Folder of the shipped files ``<architecture>_<encoder>.safetensors``."""
DEFAULT = "unet_resnet18"
"""Name of the weights that predict if no checkpoint is given."""


def shipped_networks() -> list[str]:
    """``<architecture>_<encoder>`` of all weights that this version ships, sorted."""
    return sorted(path.stem for path in WEIGHTS.glob(f"*{SUFFIX}"))


def ships(checkpoint: Path) -> bool:
    """Whether a file lies in the folder of the weights that ship."""
    return checkpoint.resolve().parent == WEIGHTS


def default_checkpoint() -> Path:
    """The weights file that predicts if no checkpoint is given.

    Raises:
        GrainsegError: This version ships no such file.
    """
    path = WEIGHTS / f"{DEFAULT}{SUFFIX}"
    if not path.is_file():
        raise GrainsegError(
            "checkpoint is missing: this version ships no weights; "
            "say checkpoint=PATH, the best.ckpt of a training run"
        )
    return path


def shipped_weights(spec: NetworkSpec) -> Path:
    """The file of the weights that ship for a network.

    Raises:
        GrainsegError: The network's names are unknown, or none ship for its architecture and encoder; the
            text names what to set.
    """
    require_known(spec)
    name = f"{spec.architecture}_{spec.encoder}"
    shipped = shipped_networks()
    if not shipped:
        raise GrainsegError(
            "model.init=generic: this version ships no weights; set model.init=scratch or imagenet"
        )
    if name not in shipped:
        pairs = [weights_name.split("_", 1) for weights_name in shipped]
        choices = [f"model.encoder={encoder}" for kind, encoder in pairs if kind == spec.architecture]
        choices = choices or [f"model.architecture={kind} model.encoder={encoder}" for kind, encoder in pairs]
        raise GrainsegError(
            f"model.init=generic: no weights ship for {spec.architecture} with {spec.encoder}; "
            f"set {' or '.join(choices)}, or model.init=scratch"
        )
    return WEIGHTS / f"{name}{SUFFIX}"


def load_generic(network: nn.Module, spec: NetworkSpec) -> CheckpointSpec:
    """Give a network the weights that ship for it.

    A network for RGB takes the weights for grey pictures: each channel of its first convolution gets a third
    of them. For a grey picture, whose three channels are equal, its output is then that of the grey network.

    Args:
        network: The network that ``build_network`` made from ``spec``; changed in place.
        spec: Specification that selects the weights.

    Returns:
        The specification in the file of the weights.

    Raises:
        GrainsegError: No weights ship for this architecture and encoder, or only for other options or another
            width; the text names what to set.
    """
    path = shipped_weights(spec)
    shipped_spec, weights = read_checkpoint(path)
    for key, value in vars(shipped_spec.network).items():
        widened = key == "in_channels" and spec.in_channels > shipped_spec.in_channels
        if vars(spec)[key] != value and not widened:
            raise GrainsegError(
                f"model.init=generic: the weights for {path.stem} have model.{key}={value}, this run has "
                f"{vars(spec)[key]}; set model.{key}={value}, or model.init=scratch"
            )
    try:
        network.load_state_dict(_for_channels(weights, network))
    except RuntimeError as error:
        raise GrainsegError(
            f"{path}: its weights do not fit its description; install grainseg anew"
        ) from error
    return shipped_spec


def _for_channels(weights: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The weights; those for a grey input are spread evenly over the input channels of the network."""
    adapted = dict(weights)
    for key, wanted in network.state_dict().items():
        given = weights.get(key)
        if given is not None and given.ndim == 4 and wanted.shape != given.shape and given.shape[1] == 1:
            adapted[key] = given.expand(-1, wanted.shape[1], -1, -1) / wanted.shape[1]
    return adapted
