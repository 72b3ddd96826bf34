"""What is known of a checkpoint's training: its configuration, and which images it used.

The checkpoint itself lists its images. The configuration is known as long as the checkpoint lies in its run
folder: ``config.yaml`` beside ``checkpoints/``. For an older checkpoint without a list, the images are those
that this configuration selects in the data folder as it is now. Of the weights that ship with the package,
the recipe is known. Everything else is reported as unknown.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grainseg.errors import GrainsegError
from grainseg.grains.wording import counted
from grainseg.micrograph.files import file_sha256
from grainseg.micrograph.folders.folder import LabelledImage, list_folder, split_with_test
from grainseg.micrograph.folders.used_images import UsedImages
from grainseg.micrograph.wide.recipe import WIDE
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.generic import ships
from grainseg.training.run_folder import CONFIG, is_of_training, read_config

log = logging.getLogger(__name__)

TRAINED, VALIDATED, TESTED = "trained the network", "chose the checkpoint", "neither trained nor chose"
FOREIGN = "no image of the training run"
UNKNOWN = "unknown whether it trained the network"

STREAM_AUGMENT: Mapping[str, float] = {"offset": 0.15, "gain": 0.3, "invert": 0.1}
"""Augmentation of ``augment=stream``, added to the recipe in the training of the shipped weights."""


@dataclass(frozen=True)
class TrainingRecord:
    """What is known of a training.

    Attributes:
        source: Where the configuration comes from, in words; empty if unknown.
        config: The run's configuration in plain values; empty if unknown.
        images: Images that the training used; None if the checkpoint lists none.
    """

    source: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    images: UsedImages | None = None


def read_record(checkpoint: Path, spec: CheckpointSpec) -> TrainingRecord:
    """Return what is known of a checkpoint's training.

    Args:
        checkpoint: File of the checkpoint.
        spec: Its specification, to recognise the configuration of another run, which is not used.

    Returns:
        The record; empty if nothing is known.
    """
    if ships(checkpoint):
        config: dict[str, Any] = {
            "data": {"name": "stream", "recipe": asdict(WIDE)},
            "augment": dict(STREAM_AUGMENT),
        }
        return TrainingRecord("the recipe of the weights that ship", config)
    try:
        known = recorded_config(checkpoint, spec)
    except GrainsegError:
        known = None
    if known is None:
        return TrainingRecord(images=spec.images)
    return TrainingRecord(f"{CONFIG} of its run folder", known, spec.images)


def recorded_config(checkpoint: Path, spec: CheckpointSpec) -> dict[str, Any] | None:
    """Return the configuration in a checkpoint's run folder in plain values; None if there is none.

    Args:
        checkpoint: File of the checkpoint.
        spec: Its specification.

    Raises:
        GrainsegError: The configuration cannot be read, or is that of another run.
    """
    path = checkpoint.resolve().parent.parent / CONFIG
    if not path.is_file():
        return None
    advice = f"put back that of {checkpoint}, or remove it if nothing shall be known of its training"
    config = read_config(path, advice)
    if not is_of_training(config):
        log.warning("%s: is no configuration of a training; nothing is known of that of %s", path, checkpoint)
        return None
    said = config.get("seed"), config["model"].get("architecture"), config["model"].get("encoder")
    if said != (spec.seed, spec.architecture, spec.encoder):
        raise GrainsegError(f"{path}: is the configuration of another training; {advice}")
    return config


def image_roles(record: TrainingRecord, images: Sequence[LabelledImage]) -> dict[str, str]:
    """Return the role of each image in the training; images are identified by content, not by name or path.

    Args:
        record: What is known of the training.
        images: Images whose roles are returned.

    Returns:
        By stem, one of ``TRAINED``, ``VALIDATED``, ``TESTED``, ``FOREIGN`` and ``UNKNOWN``.
    """
    roles = file_roles(record, [image.image for image in images])
    return {image.stem: role for image, role in zip(images, roles, strict=True)}


def file_roles(record: TrainingRecord, files: Sequence[Path]) -> list[str]:
    """Return the roles of image files in their order, see ``image_roles``."""
    if record.images is not None:
        parts = record.images.train, record.images.val, record.images.test
        by_content = {
            digest: role
            for part, role in zip(parts, (TRAINED, VALIDATED, TESTED), strict=True)
            for digest in part.values()
        }
        return [by_content.get(file_sha256(file), FOREIGN) for file in files]
    return _roles_by_folder(record, files)


def _roles_by_folder(record: TrainingRecord, files: Sequence[Path]) -> list[str]:
    """Return the roles if a checkpoint lists no images: by its configuration and the present data folder."""
    data = record.config.get("data", {})
    if data.get("name") == "stream":  # trains and validates on synthetic pictures only
        return [FOREIGN] * len(files)
    try:
        root = Path(str(data["root"]))
        items = list_folder(root).by_stem
        split = split_with_test(list(items), *(data.get(key) for key in ("val", "test", "fold", "folds")))
        by_content = {
            file_sha256(items[stem].image): role
            for stems, role in zip(split, (TRAINED, VALIDATED, TESTED), strict=True)
            for stem in stems
        }
        if record.config.get("leave_one_out"):  # each image trained all networks but one
            trained = {digest for digest, role in by_content.items() if role != TESTED}
            by_content |= dict.fromkeys(trained, TRAINED)
    except (GrainsegError, KeyError, TypeError, OSError):
        return [UNKNOWN] * len(files)
    # A relative root may name another folder here than it did where the run was started.
    otherwise = FOREIGN if root.is_absolute() else UNKNOWN
    return [by_content.get(file_sha256(file), otherwise) for file in files]


def seen_in_training_warning(record: TrainingRecord, files: Sequence[Path]) -> str | None:
    """Return a warning if scored pictures trained or validated the network; None if none is known to.

    Args:
        record: What is known of the training.
        files: Image files that were scored, at least one.
    """
    roles = file_roles(record, files)
    told = [f"{count} {role}" for role in (TRAINED, VALIDATED) if (count := roles.count(role))]
    if not told:
        return None
    return f"of {counted(len(files), 'scored picture')} {' and '.join(told)}: such scores flatter"
