"""What a checkpoint says beside its weights, and how it is read: plain values only, from a stranger's file.

A checkpoint is one of Lightning's with the key ``grainseg`` added. It is read by ``torch.load`` with
``weights_only=True``, its values are checked one by one, and the network is built by name from the
project's own tables. A weights file (``weights_file.py``) stands for a checkpoint and is checked alike.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import torch
from torch import nn

from grainseg.config.checks import MAX_SHRINK, SYMMETRIES, legal_decoder_width, legal_tiles
from grainseg.errors import GrainsegError
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.closing.partition import DEFAULT_SETTINGS, PartitionSettings
from grainseg.grains.scoring.validation import ValidationScores
from grainseg.grains.trust.doubt import Reference, read_reference
from grainseg.micrograph.folders.used_images import UsedImages, read_used_images
from grainseg.micrograph.normalization import NORMALIZATION
from grainseg.micrograph.scale.pixel_size import is_possible
from grainseg.model.archive import are_plain, load_archive, require_finite, save_archive
from grainseg.model.described import read_numbers, read_offset, shortened
from grainseg.model.networks import NetworkSpec, build_network, without_memory
from grainseg.model.shrinking import look_shrunk
from grainseg.model.weights_file import SUFFIX, read_weights
from grainseg.versions import versions

KEY = "grainseg"
FORMAT = 10
"""1 had no partition and no segmentation error, 2 no number of steps, 3 to 9 not all that ``_NEW`` names."""
_NEW: Mapping[int, Mapping[str, Any]] = {
    3: {"pixel_size_um": None, "intercept_px": None, "doubt_reference": None, "members": 1},
    4: {"label_offset_px": (0.0, 0.0)},
    5: {"shrink": 1},
    6: {"tta": "none"},
    7: {"validation": None},
    8: {"adapt": 0.0},
    9: {"images": None},
}
"""What a layout that is still read did not say, which the next one does: its files mean these values even
when the defaults of ``CheckpointSpec`` change."""
NETWORK_PREFIX = "network."
"""State-dict prefix of the LightningModule's attribute that holds the network."""
MAX_MEMBERS = 16
MAX_LINE_WIDTH_PX = 1000
"""The widest lines of labels that a file may name; no more than a bound for strangers' files."""


@dataclass(frozen=True)
class CheckpointSpec:
    """All that prediction needs beside the weights.

    Attributes:
        architecture: See ``NetworkSpec``, as for the next four.
        encoder: Name of the encoder.
        in_channels: 1 (grey) or 3 (RGB).
        decoder_width: Channels of the widest decoder stage, or None.
        options: Further arguments of the architecture.
        tile_size: Edge length of the tiles of whole-image prediction, in px that the network sees.
        overlap: Overlap of these tiles, likewise.
        threshold: Probability above which a pixel is boundary.
        line_width_px: Mean width of the lines in the training labels.
        seed: Seed of the training run.
        steps: Optimizer steps that the weights have seen.
        partition: How the boundary map becomes grains, fitted to the labelled pictures.
        segmentation: Error of ln mean intercept on the validation pictures, None if unknown.
        normalization: Name of the grey-scale normalisation.
        versions: Versions of this package and of what the numbers depend on.
        pixel_size_um: Of the training images, µm per px; None if unknown or not the same in all.
        intercept_px: Mean intercept of the training labels; None if unknown.
        doubt_reference: What pictures and predictions looked like in training, None if unknown.
        label_offset_px: How far the labels of the training lie from what its pictures show, rows down and
            columns to the right; predictions follow the labels.
        shrink: Edge in px of the squares of a picture that the network sees as one px, see ``shrinking.py``.
        tta: Test-time augmentation of the predictions that the values above were found with.
        adapt: Share of a picture's own statistics in the batch normalisation, likewise, 0-1.
        validation: Scores of the validation pictures, None if unknown or the pictures were synthetic.
        images: The image files that trained, validated and tested; None if unknown.
        members: Networks in the file, 1 to ``MAX_MEMBERS``; see ``ensemble.py`` for several.
        format: Version of this layout.
    """

    architecture: str
    encoder: str
    in_channels: int
    decoder_width: int | None
    options: dict[str, Any]
    tile_size: int
    overlap: int
    threshold: float
    line_width_px: float
    seed: int
    steps: int = 0
    partition: PartitionSettings = DEFAULT_SETTINGS
    segmentation: SegmentationError | None = None
    normalization: str = NORMALIZATION
    versions: dict[str, str] = field(default_factory=dict)
    pixel_size_um: float | None = None
    intercept_px: float | None = None
    doubt_reference: Reference | None = None
    label_offset_px: tuple[float, float] = (0.0, 0.0)
    shrink: int = 1
    tta: str = "none"
    adapt: float = 0.0
    validation: ValidationScores | None = None
    images: UsedImages | None = None
    members: int = 1
    format: int = FORMAT

    @property
    def network(self) -> NetworkSpec:
        """What the network is built from."""
        return NetworkSpec(
            self.architecture, self.encoder, self.in_channels, self.decoder_width, self.options
        )

    def to_plain(self) -> dict[str, Any]:
        """The values as they are written, the versions of now added."""
        current = versions("torch", "lightning", "segmentation-models-pytorch", "timm", "numpy")
        return asdict(replace(self, versions=current))


def _plain_types(annotation: Any) -> tuple[type, ...]:
    """What a value of the specification may be in a file, where records are dicts and tuples may be lists."""
    if isinstance(annotation, UnionType):
        return tuple(kind for part in get_args(annotation) for kind in _plain_types(part))
    kind = get_origin(annotation) or annotation
    if kind is tuple:
        return tuple, list
    return (dict,) if is_dataclass(kind) or kind is Mapping else (kind,)


_TYPES = {name: _plain_types(annotation) for name, annotation in get_type_hints(CheckpointSpec).items()}


def read_checkpoint(path: Path) -> tuple[CheckpointSpec, dict[str, torch.Tensor]]:
    """Read specification and network weights.

    Args:
        path: A ``best.ckpt`` or ``last.ckpt`` of a training run, or a weights file.

    Returns:
        The specification, and the network's state dict on the CPU.

    Raises:
        GrainsegError: The file is missing, is no checkpoint of this project, or holds values that cannot be.
    """
    if path.is_dir():
        raise GrainsegError(f"checkpoint {path}: is a folder; give checkpoints/best.ckpt in it")
    if not path.is_file():
        raise GrainsegError(
            f"checkpoint {path}: there is no such file; give the best.ckpt of one training run (several "
            "networks come as one checkpoint from experiment=leave_one_out or best)"
        )
    if path.suffix == SUFFIX:
        values, weights = read_weights(path)
        return _parse_spec(values, path), weights
    spec, content = _read_whole(path)
    weights = {
        key.removeprefix(NETWORK_PREFIX): value
        for key, value in content["state_dict"].items()
        if isinstance(key, str) and key.startswith(NETWORK_PREFIX)
    }
    return spec, weights


def read_training(path: Path) -> tuple[CheckpointSpec, Mapping[str, Any]]:
    """Read specification and all that a run goes on with.

    Returns:
        The specification; and what Lightning wrote, with ``optimizer_states``, ``loops`` and ``callbacks`` in
        a ``last.ckpt``, or nothing in a weights file.

    Raises:
        GrainsegError: As for :func:`read_checkpoint`.
    """
    return (read_checkpoint(path)[0], {}) if path.suffix == SUFFIX else _read_whole(path)


def _read_whole(path: Path) -> tuple[CheckpointSpec, dict[str, Any]]:
    content = load_archive(path)
    if not isinstance(content, dict) or not isinstance(content.get(KEY), dict):
        raise GrainsegError(
            f"checkpoint {path}: was not written by grainseg; give the best.ckpt of a training run"
        )
    state = content.get("state_dict")
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise GrainsegError(f"checkpoint {path}: holds no weights; give the best.ckpt of a training run")
    return _parse_spec(content[KEY], path), content


def _parse_spec(values: Mapping[str, Any], path: Path) -> CheckpointSpec:
    values = _in_layout_of_now(values, path)
    wrong = sorted(map(str, set(_TYPES) ^ set(values))) + sorted(
        name for name, types in _TYPES.items() if name in values and type(values[name]) not in types
    )
    if wrong:
        raise GrainsegError(
            f"checkpoint {path}: its value {shortened(wrong[0])!r} is missing or cannot be; give another one"
        )
    try:
        segmentation, validation = values["segmentation"], values["validation"]
        reference, images = values["doubt_reference"], values["images"]
        spec = CheckpointSpec(
            **{
                **values,
                "partition": PartitionSettings(**read_numbers(values["partition"])),
                "segmentation": None if segmentation is None else SegmentationError(**segmentation),
                "validation": None if validation is None else ValidationScores(**validation),
                "label_offset_px": read_offset(values["label_offset_px"]),
                "doubt_reference": None if reference is None else read_reference(reference),
                "images": None if images is None else read_used_images(images),
            }
        )
    except (TypeError, ValueError) as error:
        # What Python says of arguments, a TypeError, tells nobody anything.
        reason = "its settings are not those of this version" if isinstance(error, TypeError) else str(error)
        raise GrainsegError(
            f"checkpoint {path}: its values for the grains cannot be: {reason}; give another one"
        ) from error
    if not _is_in_range(spec):
        raise GrainsegError(
            f"checkpoint {path}: a value of its description is out of range; give another one"
        )
    if spec.normalization != NORMALIZATION:
        needed = shortened(spec.normalization)
        raise GrainsegError(
            f"checkpoint {path}: needs normalisation {needed}, this version has {NORMALIZATION}; use the "
            "grainseg version that wrote it"
        )
    return spec


def _in_layout_of_now(values: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The values with those added that an older layout did not have."""
    layout = values.get("format")
    if type(layout) is not int or not min(_NEW) <= layout <= FORMAT:
        shown = layout if type(layout) is int and 0 <= layout < 1000 else "unknown"
        raise GrainsegError(
            f"checkpoint {path}: has layout {shown}, this version reads {min(_NEW)} to {FORMAT}; "
            "use the grainseg version that wrote it"
        )
    for older in range(layout, FORMAT):
        values = {**values, **_NEW[older]}
    return {**values, "format": FORMAT}


def _is_in_range(spec: CheckpointSpec) -> bool:
    return (
        spec.in_channels in (1, 3)
        and legal_decoder_width(spec.decoder_width)
        and legal_tiles(spec.tile_size, spec.overlap)
        and 0 < spec.threshold < 1
        and 0 < spec.line_width_px <= MAX_LINE_WIDTH_PX
        and spec.steps >= 0
        and (spec.pixel_size_um is None or is_possible(spec.pixel_size_um))
        and (spec.intercept_px is None or 1 <= spec.intercept_px <= 10_000)
        and 1 <= spec.shrink <= MAX_SHRINK
        and spec.tta in SYMMETRIES
        and 0 <= spec.adapt <= 1
        and 1 <= spec.members <= MAX_MEMBERS
    )


def add_to_checkpoint(path: Path, spec: CheckpointSpec) -> None:
    """Replace what a checkpoint says beside its weights, in one step.

    Args:
        path: A checkpoint that ``read_checkpoint`` accepts.
        spec: What it says from now on.

    Raises:
        GrainsegError: The file cannot be written.
    """
    content = torch.load(path, map_location="cpu", weights_only=True)
    content[KEY] = spec.to_plain()
    save_archive(content, path)


def load_network(path: str | Path) -> tuple[CheckpointSpec, nn.Module]:
    """Read a checkpoint of one network and build it, on the CPU and in evaluation mode.

    Raises:
        GrainsegError: As for :func:`read_checkpoint`, the checkpoint holds several networks, or the weights
            do not fit the network.
    """
    path = Path(path)
    spec, weights = read_checkpoint(path)
    require_single(spec, path)
    return spec, build_filled(spec, weights, path)


def require_single(spec: CheckpointSpec, path: Path) -> None:
    """Raise a GrainsegError if a checkpoint holds several networks where one is wanted."""
    if spec.members > 1:
        raise GrainsegError(
            f"checkpoint {path}: holds an ensemble of {spec.members} networks, which can only predict; "
            "give a checkpoint of one network, such as fold_0/checkpoints/best.ckpt beside it"
        )


def build_filled(spec: CheckpointSpec, weights: Mapping[str, torch.Tensor], path: Path) -> nn.Module:
    """Build a checkpoint's network with these weights, on the CPU and in evaluation mode.

    Raises:
        GrainsegError: There is no such network, or the weights do not fit it or are not finite.
    """
    misfit = GrainsegError(
        f"checkpoint {path}: its weights do not fit {spec.architecture} with {spec.encoder}; "
        "it was changed or damaged, give another one or train again"
    )
    try:
        fits = are_plain(weights) and _fits(spec, weights)
    except GrainsegError as error:  # whose advice is for those who say the keys of a model
        reason = shortened(str(error).partition(";")[0].replace("model.", ""))
        raise GrainsegError(
            f"checkpoint {path}: names a network that cannot be built ({reason}); give another one"
        ) from error
    if not fits:
        raise misfit
    require_finite(weights, path)
    network = look_shrunk(build_network(spec.network), spec.shrink)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise misfit from error
    return network.eval()


def _fits(spec: CheckpointSpec, weights: Mapping[str, torch.Tensor]) -> bool:
    """Whether a network has these weights, without memory for it: a small file may name a huge encoder."""
    with without_memory():
        expected = look_shrunk(build_network(spec.network), spec.shrink).state_dict()
    kinds, found = (
        {name: (tensor.shape, tensor.is_floating_point()) for name, tensor in tensors.items()}
        for tensors in (expected, weights)
    )
    return kinds == found
