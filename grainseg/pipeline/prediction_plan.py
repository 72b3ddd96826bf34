"""Settings that hold for all pictures of a prediction, and their description in the report."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from torch import nn

from grainseg.config import PredictConfig
from grainseg.config.checks import SYMMETRIES
from grainseg.grains.closing.partition import DEFAULT_SETTINGS, PartitionSettings
from grainseg.grains.wording import counted
from grainseg.inference.adaptation import require_adaptable
from grainseg.inference.predictor import TileSettings, tile_settings
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.generic import ships
from grainseg.pipeline.pictures.scaling import Scaling, scaling_of
from grainseg.pipeline.results.provenance import adaptation, provenance_of
from grainseg.report.html.contents import Provenance


@dataclass(frozen=True)
class PredictionPlan:
    """Settings of a prediction: those of the configuration, and the checkpoint's where it leaves them open.

    Attributes:
        config: The prediction.
        checkpoint: File of the networks.
        checkpoint_sha256: SHA-256 of that file.
        spec: Specification in the checkpoint.
        networks: One or more.
        scaling: How pictures are resampled to the scale of the training.
        threshold: Threshold of the mask.
        tta: Test-time augmentation, one of ``SYMMETRIES``.
        tiles: Tiling, number of views, and share of adaptation to each picture.
        partition: Settings of the partition into grains; None if no grains are requested.
    """

    config: PredictConfig
    checkpoint: Path
    checkpoint_sha256: str
    spec: CheckpointSpec
    networks: Sequence[nn.Module]
    scaling: Scaling
    threshold: float
    tta: str
    tiles: TileSettings
    partition: PartitionSettings | None

    def by_hand(self) -> list[str]:
        """Return the settings that differ from those with which the checkpoint's error was found."""
        known, given = asdict(self.spec.partition), self.config.partition.given()
        partition = [f"partition.{name}" for name, value in given.items() if value != known[name]]
        scaled = [] if self.scaling.choice is None else [f"scale={self.scaling.choice}"]
        seen = [] if self.tta == self.spec.tta else [f"tta={self.tta}"]
        adapted = [] if self.tiles.adapt == self.spec.adapt else [f"adapt={self.tiles.adapt:g}"]
        return [*partition, *scaled, *seen, *adapted]


def plan_prediction(
    config: PredictConfig,
    checkpoint: Path,
    checkpoint_sha256: str,
    spec: CheckpointSpec,
    networks: Sequence[nn.Module],
) -> PredictionPlan:
    """Return the settings that hold for all pictures of a prediction.

    Args:
        config: The prediction.
        checkpoint: File of the networks.
        checkpoint_sha256: SHA-256 of that file.
        spec: Specification in the checkpoint.
        networks: Networks of the checkpoint.

    Raises:
        GrainsegError: The requested scaling needs a training scale that the checkpoint does not know, or its
            networks cannot adapt to a picture.
    """
    tta = spec.tta if config.tta is None else config.tta
    adapt = spec.adapt if config.adapt is None else config.adapt
    require_adaptable(networks[0], adapt, "adapt")  # all are built alike
    measured = config.partition.name != "none"
    return PredictionPlan(
        config=config,
        checkpoint=checkpoint,
        checkpoint_sha256=checkpoint_sha256,
        spec=spec,
        networks=networks,
        scaling=scaling_of(config, spec, checkpoint),
        threshold=spec.threshold if config.threshold is None else config.threshold,
        tta=tta,
        tiles=replace(tile_settings(spec), views=SYMMETRIES[tta], adapt=adapt),
        partition=replace(spec.partition, **config.partition.given()) if measured else None,
    )


def unfinished_warning(spec: CheckpointSpec, checkpoint: Path) -> str | None:
    """Return a warning if a checkpoint lacks what the end of a training adds; otherwise None.

    Args:
        spec: Specification in the checkpoint.
        checkpoint: File of the checkpoint.
    """
    # A checkpoint of an older version may have no reference, but it has a fitted partition.
    if ships(checkpoint) or spec.doubt_reference is not None or spec.partition != DEFAULT_SETTINGS:
        return None
    return (
        f"{checkpoint}: knows no partition and no reference of the doubt, which best.ckpt gets at the end of "
        "a run: defaults are taken; give the best.ckpt of a finished run, or finish this one (train.py with "
        "its overrides and resume=RUN/checkpoints/last.ckpt)"
    )


def prediction_provenance(plan: PredictionPlan, command: str) -> Provenance:
    """Return the provenance of the boundaries of a prediction.

    Args:
        plan: The plan of the prediction.
        command: The command as typed.
    """
    by = "by the checkpoint" if plan.config.threshold is None else "given by the user"
    return provenance_of(
        "boundaries predicted by a network",
        plan.config,
        command,
        ["torch"],
        checkpoint=plan.checkpoint,
        checkpoint_sha256=plan.checkpoint_sha256,
        settings={"Threshold of the mask": f"{plan.threshold:g}, {by}"}
        | _averaged(plan)
        | adaptation(plan.tiles.adapt, plan.config.adapt)
        | plan.scaling.provenance_entry()
        | {"Line width of the training labels": f"{plan.spec.line_width_px:.1f} px"}
        | _validation(plan)
        | _shrink(plan.spec)
        | _offset(plan.spec)
        | _partition(plan),
    )


def _averaged(plan: PredictionPlan) -> dict[str, str]:
    """Return the entries on networks and views whose mean the probability is; empty if there is one each."""
    found = {}
    if plan.spec.members > 1:
        found["Networks"] = f"{plan.spec.members}, the mean of their probabilities"
    if plan.tiles.views > 1:
        by = "by the checkpoint" if plan.config.tta is None else "given by the user"
        found["Test-time augmentation"] = f"{plan.tta}, the mean over {plan.tiles.views} views, {by}"
    return found


def _validation(plan: PredictionPlan) -> dict[str, str]:
    """Return the entry with the network's validation scores; empty if the checkpoint has none."""
    found = plan.spec.validation
    if found is None:
        return {}
    others = plan.by_hand() + ([] if plan.config.threshold is None else ["threshold"])
    but = f", by the checkpoint's own settings, not {', '.join(others)}" if others else ""
    return {
        "Validation of the network": (
            f"boundary F1 {found.boundary_f1:.2f}, adapted Rand error {found.adapted_rand_error:.2f}, "
            f"number of grains off by {100 * found.grain_count_error:.1f} %, mean intercept by "
            f"{100 * found.intercept_error:.1f} %, on {counted(found.images, 'image')}, "
            f"which also chose checkpoint and partition{but}"
        )
    }


def _shrink(spec: CheckpointSpec) -> dict[str, str]:
    """Return the entry on the shrinking of pictures for the network; empty if they are not shrunk."""
    if spec.shrink == 1:
        return {}
    return {
        "The network sees": f"pictures shrunk by {spec.shrink}, as in training; it answers at their own size"
    }


def _offset(spec: CheckpointSpec) -> dict[str, str]:
    """Return the entry on the offset of the training labels; empty if there is no offset."""
    if not any(spec.label_offset_px):
        return {}
    down, right = spec.label_offset_px
    said = f"{down:+.2f} px down, {right:+.2f} px to the right of what the pictures show; predictions, too"
    return {"Offset of the training labels": said}


def _partition(plan: PredictionPlan) -> dict[str, str]:
    """Return the entries on the partition: each setting and where it comes from."""
    assert plan.partition is not None  # there is no report without grains
    known, given = plan.spec.partition, plan.config.partition.given()
    fitted = "fitted to labelled images"
    if ships(plan.checkpoint):
        fitted = "chosen for the weights that ship"
    # A fit may well choose the defaults; a checkpoint that knows its error was fitted.
    unfitted = known == DEFAULT_SETTINGS and plan.spec.segmentation is None
    default = "by default" if unfitted else fitted
    origin = dict.fromkeys(asdict(known), default) | dict.fromkeys(given, "given by the user")
    return {
        f"Partition: {name.replace('_', ' ')}": f"{value:g}, {origin[name]}"
        for name, value in asdict(plan.partition).items()
    }
