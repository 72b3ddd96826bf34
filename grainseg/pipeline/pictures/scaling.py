"""Choose the scale at which a picture is predicted, and describe it for the report."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grainseg.config import PredictConfig
from grainseg.config.checks import MAX_FACTOR
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import PartitionSettings, partition_or_none
from grainseg.grains.measuring.left_out import LeftOut
from grainseg.inference.scale import (
    FARTHEST,
    HARMLESS,
    EstimatedScale,
    Factors,
    Predict,
    at_scale,
    predict_at_estimate,
)
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.generic import ships
from grainseg.pipeline.pictures.picture import OpenedPicture

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scaling:
    """How pictures are resampled to the scale of the training.

    Attributes:
        choice: None, a factor, ``pixel_size``, ``grain_size``, or ``auto``, which resamples by grain size but
            never enlarges.
        pixel_size_um: Pixel size of the training images in µm; None if unknown.
        intercept_px: Mean intercept of the training labels; None if unknown.
        partition: Settings of the partition whose grains are measured to estimate the scale.
        max_megapixels: Largest size of a resampled picture.
    """

    choice: str | float | None
    pixel_size_um: float | None
    intercept_px: float | None
    partition: PartitionSettings
    max_megapixels: float

    def provenance_entry(self) -> dict[str, str]:
        """Return the entry ``Scale`` of the report's provenance; empty if no scaling was requested."""
        if self.choice == "pixel_size":
            text = f"pixel_size: resampled to the {self.pixel_size_um:.4g} µm per px of the training images"
        elif self.choice == "grain_size":
            text = f"grain_size: resampled towards a mean intercept of {self.intercept_px:.3g} px"
        elif self.choice == "auto":
            usual = self.intercept_px or math.nan
            text = (
                f"auto: grains of over {usual * HARMLESS:.0f} px mean intercept are shrunk to {usual:.3g} px"
            )
        else:
            text = "" if self.choice is None else f"pictures resampled by {self.choice:g}, given by the user"
        return {"Scale": text} if text else {}


@dataclass(frozen=True)
class ScaledPicture:
    """A picture resampled for the networks.

    Attributes:
        opened: The picture, with a note on its scale.
        unit: (h, w, C) float32 in [0, 1], on the network's grid.
        probability: (h, w) float32 in [0, 1], the boundary map that was predicted there to estimate the
            scale; None if no estimate was needed.
    """

    opened: OpenedPicture
    unit: FloatImage
    probability: FloatImage | None = None


def scaling_of(config: PredictConfig, spec: CheckpointSpec, checkpoint: Path) -> Scaling:
    """Return the scaling that the configuration asks for.

    ``auto`` has an effect with the shipped weights only, which have to work at any magnification; other
    networks were trained at the magnification of their pictures.

    Raises:
        GrainsegError: The requested scaling needs a training scale that the checkpoint does not know.
    """
    for scale, known, what in (
        ("pixel_size", spec.pixel_size_um, "a pixel size that all its training images have within 2 %"),
        ("grain_size", spec.intercept_px, "the grain size of its training labels"),
    ):
        if config.scale == scale and known is None:
            other = "grain_size" if scale == "pixel_size" else "pixel_size"
            raise GrainsegError(
                f"scale={scale}: {checkpoint} does not know {what}; say scale={other}, a factor or null"
            )
    unsaid = default_scaling(spec, checkpoint, config.data.max_megapixels)
    return replace(
        unsaid,
        choice=unsaid.choice if config.scale == "auto" else config.scale,
        partition=replace(spec.partition, **config.partition.given()),
    )


def default_scaling(spec: CheckpointSpec, checkpoint: Path, max_megapixels: float) -> Scaling:
    """Return the default scaling: ``auto`` for shipped weights with a known intercept, otherwise none."""
    automatic = ships(checkpoint) and spec.intercept_px is not None
    return Scaling(
        "auto" if automatic else None,
        spec.pixel_size_um,
        spec.intercept_px,
        spec.partition,
        max_megapixels,
    )


def scale_of_picture(
    scaling: Scaling, opened: OpenedPicture, unit: FloatImage, predict: Predict
) -> ScaledPicture:
    """Find the scale at which a picture is to be predicted.

    Args:
        scaling: The requested scaling.
        opened: The picture.
        unit: (H, W, C) float32 in [0, 1], the picture as the network sees it at its own scale.
        predict: Predicts a picture at the scale it is given in, to estimate the scale; one network of an
            ensemble is enough.

    Raises:
        GrainsegError: The picture's pixel size is needed and unknown, the factor is out of its range, or the
            resampled picture would be too large.
    """
    if scaling.choice is None:
        return ScaledPicture(opened, unit)
    if scaling.choice in ("grain_size", "auto"):
        estimate = _estimate(scaling, opened.left_out, unit, predict)
        noted = _noted(opened, *_note_and_doubt(scaling, estimate))
        return ScaledPicture(noted, estimate.unit, estimate.probability)
    factors = _known_factors(scaling, opened)
    _require_size(scaling, opened, factors)
    note = f"resampled by {_written(factors)} for the network, and the result back to its own size"
    return ScaledPicture(_noted(opened, note), at_scale(unit, factors))


def _noted(opened: OpenedPicture, *lines: str) -> OpenedPicture:
    """Return the picture with the first line as a note on its scale and the others as warnings, if any."""
    if not lines:
        return opened
    note, *doubts = lines
    log.info("%s: %s", opened.selected.path, note)
    micrograph = replace(opened.micrograph, notes=(*opened.micrograph.notes, note))
    return replace(opened, micrograph=micrograph).warned(*doubts)


def _known_factors(scaling: Scaling, opened: OpenedPicture) -> Factors:
    if isinstance(scaling.choice, int | float):
        return float(scaling.choice), float(scaling.choice)
    sizes = opened.micrograph.pixel_size_um
    if sizes is None:
        raise GrainsegError(
            f"{opened.selected.path}: scale=pixel_size needs its pixel size, which nobody says; "
            "say pixel_size_um=VALUE, or scale=grain_size"
        )
    assert scaling.pixel_size_um is not None  # checked by scaling_of
    return sizes[0] / scaling.pixel_size_um, sizes[1] / scaling.pixel_size_um


def _require_size(scaling: Scaling, opened: OpenedPicture, factors: Factors) -> None:
    if not all(1 / MAX_FACTOR <= factor <= MAX_FACTOR for factor in factors):
        raise GrainsegError(
            f"{opened.selected.path}: would be resampled by {_written(factors)}, beyond "
            f"{1 / MAX_FACTOR:g} to {MAX_FACTOR:g}; correct pixel_size_um, or say scale=null"
        )
    megapixels = math.prod(opened.micrograph.shape) * math.prod(factors) / 1e6
    if megapixels > scaling.max_megapixels:
        raise GrainsegError(
            f"{opened.selected.path}: resampled by {_written(factors)} it has {megapixels:.3g} megapixels; "
            f"say a smaller scale, or data.max_megapixels={math.ceil(megapixels)}"
        )


def _estimate(scaling: Scaling, left_out: LeftOut, unit: FloatImage, predict: Predict) -> EstimatedScale:
    def intercept_px(probability: FloatImage) -> float | None:
        here = left_out.on_grid(probability.shape)
        partition = partition_or_none(probability, scaling.partition, here.mask)
        mean = math.nan if partition is None else here.mean_intercept_px(partition.grains)
        return mean if math.isfinite(mean) else None

    target = scaling.intercept_px
    assert target is not None  # checked by scaling_of
    largest = math.sqrt(scaling.max_megapixels * 1e6 / (unit.shape[0] * unit.shape[1]))
    largest = 1.0 if scaling.choice == "auto" else max(1.0, largest)
    return predict_at_estimate(predict, unit, target, intercept_px, largest)


def _note_and_doubt(scaling: Scaling, estimate: EstimatedScale) -> tuple[str, ...]:
    """Return a note on an estimated scale, and any doubt; nothing if ``auto`` had no reason to resample."""
    target = scaling.intercept_px
    assert target is not None  # checked by scaling_of
    large = estimate.intercept_px is not None and estimate.intercept_px > target * HARMLESS
    if scaling.choice == "auto" and estimate.factor == 1 and not large:
        return ()
    if estimate.intercept_px is None:
        return ("not resampled: no boundary to estimate the grain size from",)
    grain_size = f"grains have a mean intercept of {estimate.intercept_px:.3g} px"
    if estimate.factor == 1:
        note = f"not resampled: its {grain_size}, those in training {target:.3g} px"
    else:
        note = (
            f"resampled by {estimate.factor:.3g} for the network, and the result back to its own size: "
            f"so resampled, its {grain_size}, as in training ({target:.3g} px)"
        )
    if estimate.consistent:
        return (note,)
    largest = 1 if scaling.choice == "auto" else FARTHEST
    doubt = (
        f"no factor from {1 / FARTHEST:g} to {largest:g} was found that brings its grains to those of the "
        f"training: {estimate.intercept_px:.3g} px at {estimate.factor:.3g}, wanted {target:.3g} px"
    )
    return note, doubt


def _written(factors: Sequence[float]) -> str:
    row, column = (f"{factor:.3g}" for factor in factors)
    return row if row == column else f"{row} (rows) and {column} (columns)"
