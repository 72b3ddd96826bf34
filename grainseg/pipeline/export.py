"""Export a checkpoint to a weights file that can be shipped."""

from dataclasses import asdict, replace
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import load_network
from grainseg.model.networks import parameter_count
from grainseg.model.weights_file import SUFFIX, write_weights


def export(checkpoint: Path, target: Path) -> str:
    """Write the network of a checkpoint in half precision, with its description.

    The description omits the list of images in the checkpoint.

    Args:
        checkpoint: ``best.ckpt`` or ``last.ckpt`` of a training run.
        target: ``*.safetensors``.

    Returns:
        A description of the file written, in one line.

    Raises:
        GrainsegError: The checkpoint cannot be read, or the target has another suffix, exists already or
            cannot be written.
    """
    if target.suffix != SUFFIX:
        raise GrainsegError(f"{target}: is written as safetensors; give a name that ends in {SUFFIX}")
    if target.exists():
        raise GrainsegError(f"{target}: is there already; remove it, or give another name")
    spec, network = load_network(checkpoint)
    spec = replace(spec, images=None)  # weights are passed on; the user's file names stay private
    write_weights(target, asdict(spec), network.state_dict())
    return (
        f"{target}: {spec.architecture} with {spec.encoder}, {parameter_count(network) / 1e6:.1f} million "
        f"parameters after {spec.steps} steps, {target.stat().st_size / 1e6:.1f} MB"
    )
