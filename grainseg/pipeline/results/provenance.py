"""Where the numbers of a page come from, said alike by all that write one. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from omegaconf import OmegaConf

from grainseg.config import MeasurementConfig, RobustnessConfig
from grainseg.report.html.contents import Provenance
from grainseg.versions import versions


def provenance_of(
    source: str,
    config: MeasurementConfig | RobustnessConfig,
    command: str,
    packages: Sequence[str] = (),
    checkpoint: Path | None = None,
    checkpoint_sha256: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Provenance:
    """Say where numbers come from.

    Args:
        source: In words what was measured.
        config: The run.
        command: As typed.
        packages: What found the boundaries; what measured them is named anyway.
        checkpoint: The network's file as typed; None where none was used.
        checkpoint_sha256: Of that file.
        settings: What turned boundary maps into masks and grains, by name.
    """
    return Provenance(
        source=source,
        checkpoint=None if checkpoint is None else str(checkpoint),
        checkpoint_sha256=checkpoint_sha256,
        config=OmegaConf.to_yaml(OmegaConf.create(asdict(config))),
        versions=versions("numpy", "scipy", "scikit-image", *packages),
        command=command,
        settings=settings or {},
    )


def adaptation(share: float, said: float | None) -> dict[str, str]:
    """How far networks adapt to each picture, where they do, by its title.

    Args:
        share: Of the picture's own statistics in the batch normalisation.
        said: What the user said of it; None where the checkpoint did.
    """
    by = "by the checkpoint" if said is None else "said by the user"
    return {"Batch normalisation": f"{share:g} of it by the picture's own statistics, {by}"} if share else {}
