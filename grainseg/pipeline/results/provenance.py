"""Provenance of the numbers on a page, in the same form for all pages. Needs no torch."""

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
    """Return the provenance of the numbers on a page.

    Args:
        source: What was measured, in words.
        config: Configuration of the run.
        command: The command as typed.
        packages: Packages that found the boundaries; those that measured them are always named.
        checkpoint: File of the network; None if none was used.
        checkpoint_sha256: SHA-256 of that file.
        settings: Settings that turned boundary maps into masks and grains, by name.
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
    """Return the provenance entry on the adaptation of networks to each picture; empty without adaptation.

    Args:
        share: Share of the picture's own statistics in the batch normalisation.
        said: Value that the user gave; None if the share is the checkpoint's.
    """
    by = "by the checkpoint" if said is None else "given by the user"
    return {"Batch normalisation": f"{share:g} of it by the picture's own statistics, {by}"} if share else {}
