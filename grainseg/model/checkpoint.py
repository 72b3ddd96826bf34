"""Checkpoints: the description saved with the weights, and safe reading of files from unknown sources.

A checkpoint is a Lightning checkpoint with the additional key ``grainseg``. It is read by ``torch.load`` with
``weights_only=True``, its values are checked one by one, and the network is built by name from the project's
own tables. A weights file (``weights_file.py``) can be used as a checkpoint and is checked in the same way.
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
from grainseg.model.networks import NetworkSpec, build_network, on_meta_device
from grainseg.model.shrinking import shrink_input
from grainseg.model.weights_file import SUFFIX, read_weights
from grainseg.versions import versions

KEY = "grainseg"
FORMAT = 10
"""Layout 1 had no partition and no segmentation error, 2 no number of steps, 3 to 9 lack keys of ``_NEW``."""
_NEW: Mapping[int, Mapping[str, Any]] = {
    3: {"pixel_size_um": None, "intercept_px": None, "doubt_reference": None, "members": 1},
    4: {"label_offset_px": (0.0, 0.0)},
    5: {"shrink": 1},
    6: {"tta": "none"},
    7: {"validation": None},
    8: {"adapt": 0.0},
    9: {"images": None},
}
"""Keys that each readable layout lacks and the next one has. Older files mean these values, even if the
defaults of ``CheckpointSpec`` change."""
NETWORK_PREFIX = "network."
"""State-dict prefix of the LightningModule's attribute that holds the network."""
MAX_MEMBERS = 16
MAX_LINE_WIDTH_PX = 1000
"""Largest line width that a file may hold, only to reject invalid files."""


@dataclass(frozen=True)
class CheckpointSpec:
    """All values that prediction needs in addition to the weights.

    Attributes:
        architecture: See ``NetworkSpec``, also for the next four.
        encoder: Name of the encoder.
        in_channels: 1 (grey) or 3 (RGB).
        decoder_width: Channels of the widest decoder stage, or None.
        options: Further arguments of the architecture.
        tile_size: Edge length of the tiles of whole-image prediction, in px that the network sees.
        overlap: Overlap of these tiles, in the same px.
        threshold: Probability above which a pixel is boundary.
        line_width_px: Mean width of the lines in the training labels.
        seed: Seed of the training run.
        steps: Optimizer steps of the training so far.
        partition: Settings that turn the boundary map into grains, fitted to the labelled pictures.
        segmentation: Error of ln(mean intercept) on the validation pictures, None if unknown.
        normalization: Name of the grey-scale normalisation.
        versions: Versions of this package and of the libraries on which the numbers depend.
        pixel_size_um: Pixel size of the training images in µm; None if unknown or not the same in all.
        intercept_px: Mean intercept of the training labels; None if unknown.
        doubt_reference: Statistics of the pictures and predictions in training, None if unknown.
        label_offset_px: Offset of the training labels from the boundaries in the pictures, rows down and
            columns to the right; predictions are shifted like the labels.
        shrink: Edge in px of the squares of a picture that the network sees as one px, see ``shrinking.py``.
        tta: Test-time augmentation of the predictions from which the values above were determined.
        adapt: Share of a picture's own statistics in the batch normalisation of these predictions, 0-1.
        validation: Scores of the validation pictures, None if unknown or the pictures were synthetic.
        images: Image files used to train, validate and test; None if unknown.
        members: Number of networks in the file, 1 to ``MAX_MEMBERS``; see ``ensemble.py``.
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
        """The specification from which the network is built."""
        return NetworkSpec(
            self.architecture, self.encoder, self.in_channels, self.decoder_width, self.options
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the values as they are written, with the current versions."""
        current = versions("torch", "lightning", "segmentation-models-pytorch", "timm", "numpy")
        return asdict(replace(self, versions=current))


def _plain_types(annotation: Any) -> tuple[type, ...]:
    """Return the types of a value in a file, where dataclasses are dicts and tuples may be lists."""
    if isinstance(annotation, UnionType):
        return tuple(kind for part in get_args(annotation) for kind in _plain_types(part))
    kind = get_origin(annotation) or annotation
    if kind is tuple:
        return tuple, list
    return (dict,) if is_dataclass(kind) or kind is Mapping else (kind,)


_TYPES = {name: _plain_types(annotation) for name, annotation in get_type_hints(CheckpointSpec).items()}


def read_checkpoint(path: Path) -> tuple[CheckpointSpec, dict[str, torch.Tensor]]:
    """Read the specification and the network's weights.

    Args:
        path: A ``best.ckpt`` or ``last.ckpt`` of a training run, or a weights file.

    Returns:
        The specification, and the network's state dict on the CPU.

    Raises:
        GrainsegError: The file is missing, is not a checkpoint of this project, or holds invalid values.
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
    """Read the specification and the state from which a run resumes.

    Returns:
        The specification; and the contents that Lightning wrote, with ``optimizer_states``, ``loops`` and
        ``callbacks`` in a ``last.ckpt``. For a weights file, the latter is empty.

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
        # Python's message on wrong arguments, a TypeError, would not help the user.
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
    """Return the values with those added that an older layout lacks."""
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
    """Replace the description in a checkpoint; the file is replaced in one step.

    Args:
        path: A checkpoint that ``read_checkpoint`` accepts.
        spec: The new description.

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
    """Raise a GrainsegError if a checkpoint holds more than one network."""
    if spec.members > 1:
        raise GrainsegError(
            f"checkpoint {path}: holds an ensemble of {spec.members} networks, which can only predict; "
            "give a checkpoint of one network, such as fold_0/checkpoints/best.ckpt beside it"
        )


def build_filled(spec: CheckpointSpec, weights: Mapping[str, torch.Tensor], path: Path) -> nn.Module:
    """Build a checkpoint's network with these weights, on the CPU and in evaluation mode.

    Raises:
        GrainsegError: The network cannot be built, or the weights do not fit it or are not finite.
    """
    misfit = GrainsegError(
        f"checkpoint {path}: its weights do not fit {spec.architecture} with {spec.encoder}; "
        "it was changed or damaged, give another one or train again"
    )
    try:
        fits = are_plain(weights) and _fits(spec, weights)
    except GrainsegError as error:  # without its advice, which is for users who set model.* keys
        reason = shortened(str(error).partition(";")[0].replace("model.", ""))
        raise GrainsegError(
            f"checkpoint {path}: names a network that cannot be built ({reason}); give another one"
        ) from error
    if not fits:
        raise misfit
    require_finite(weights, path)
    network = shrink_input(build_network(spec.network), spec.shrink)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise misfit from error
    return network.eval()


def _fits(spec: CheckpointSpec, weights: Mapping[str, torch.Tensor]) -> bool:
    """Check whether weights fit the network, without allocating it: a small file may name a huge encoder."""
    with on_meta_device():
        expected = shrink_input(build_network(spec.network), spec.shrink).state_dict()
    kinds, found = (
        {name: (tensor.shape, tensor.is_floating_point()) for name, tensor in tensors.items()}
        for tensors in (expected, weights)
    )
    return kinds == found
