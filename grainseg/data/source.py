"""The data of a training run, whether real or synthetic."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.data import Dataset

from grainseg.data.images import LabelledMicrograph
from grainseg.micrograph.folders.used_images import NO_IMAGES, UsedImages

Patch = tuple[torch.Tensor, torch.Tensor]
"""(C, size, size) float32 in the unit range, and (size, size) uint8 label codes."""


@dataclass(frozen=True)
class TrainingData:
    """Patches to train on, and whole pictures to score.

    Attributes:
        patches: Patches by running number over all epochs, each a pure function of the seed and its number.
        patches_per_epoch: Number of patches between two validations.
        trains_on: Source of the patches, in words.
        line_width_px: Mean width of the lines of the training labels, the width that the network learns.
        val_images: Validation pictures, which choose the checkpoint.
        train_images: Pictures from which the patches are cut; empty for a stream.
        test_images: Test pictures, which choose nothing; may be empty.
        without_mask: Files of pictures without a mask, which are left out.
        without_image: Files of masks without a picture, which are left out.
        labelled_share: Share of labelled pixels in the training pictures, in (0, 1].
        pixel_size_um: µm per px of the training images; None if unknown or not the same in all.
        intercept_px: Mean intercept of the training labels; None if unknown or not meaningful.
        shrink: Edge in px of the squares of a picture that the network sees as one px.
        label_offset_px: Offset of the training labels from the boundaries in the pictures, see
            ``registration``.
        images: Image files of these pictures; none for synthetic streams.
        warnings: Possible problems of pictures and labels, one line each.
    """

    patches: Dataset[Patch]
    patches_per_epoch: int
    trains_on: str
    line_width_px: float
    val_images: tuple[LabelledMicrograph, ...]
    train_images: tuple[LabelledMicrograph, ...] = ()
    test_images: tuple[LabelledMicrograph, ...] = ()
    without_mask: tuple[Path, ...] = ()
    without_image: tuple[Path, ...] = ()
    labelled_share: float = 1.0
    pixel_size_um: float | None = None
    intercept_px: float | None = None
    shrink: int = 1
    label_offset_px: tuple[float, float] = (0.0, 0.0)
    images: UsedImages = NO_IMAGES
    warnings: tuple[str, ...] = ()
