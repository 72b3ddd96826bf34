"""Several networks of one kind in one checkpoint, with one specification for all of them.

The file is like that of a single network, except that its weights are numbered, ``network.0.…``,
``network.1.…``, as in a list of modules.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from grainseg.errors import GrainsegError
from grainseg.model.archive import save_archive
from grainseg.model.checkpoint import (
    KEY,
    MAX_MEMBERS,
    NETWORK_PREFIX,
    CheckpointSpec,
    build_filled,
    read_checkpoint,
)


def load_networks(path: str | Path) -> tuple[CheckpointSpec, list[nn.Module]]:
    """Read a checkpoint of one network or several and build them, on the CPU and in evaluation mode.

    Args:
        path: Any file that ``read_checkpoint`` accepts.

    Returns:
        The specification, and its number of networks.

    Raises:
        GrainsegError: As for ``read_checkpoint``, or a member's weights are missing or do not fit.
    """
    path = Path(path)
    spec, weights = read_checkpoint(path)
    if spec.members == 1:
        return spec, [build_filled(spec, weights, path)]
    members: list[dict[str, torch.Tensor]] = [{} for _ in range(spec.members)]
    by_number = {str(number): member for number, member in enumerate(members)}
    for key, value in weights.items():
        number, _, name = key.partition(".")
        if number not in by_number:
            raise GrainsegError(
                f"checkpoint {path}: holds weights of none of its {spec.members} members; train again"
            )
        by_number[number][name] = value
    # Checked before any network is built: a small file that claims to hold many networks costs nothing.
    missing = [number for number, member in by_number.items() if not member]
    if missing:
        raise GrainsegError(
            f"checkpoint {path}: the weights of member {missing[0]} of {spec.members} are missing; "
            "train again"
        )
    return spec, [build_filled(spec, member, path) for member in members]


def write_ensemble(path: Path, spec: CheckpointSpec, networks: Sequence[nn.Module]) -> None:
    """Write several networks into one checkpoint; a single network gives an ordinary checkpoint.

    Args:
        path: File to write.
        spec: Specification of all of them.
        networks: 1 to ``MAX_MEMBERS`` networks, each built from ``spec.network``.

    Raises:
        GrainsegError: There are none or too many networks, or the file cannot be written.
    """
    if not 1 <= len(networks) <= MAX_MEMBERS:
        raise GrainsegError(f"{path}: an ensemble has 1 to {MAX_MEMBERS} networks, not {len(networks)}")
    prefixes = [f"{number}." if len(networks) > 1 else "" for number in range(len(networks))]
    state = {
        f"{NETWORK_PREFIX}{prefix}{key}": value.cpu()
        for prefix, network in zip(prefixes, networks, strict=True)
        for key, value in network.state_dict().items()
    }
    content = {"state_dict": state, KEY: replace(spec, members=len(networks)).to_plain()}
    save_archive(content, path)
