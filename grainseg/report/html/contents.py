"""The contents of a report, before they become a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from grainseg.grains.batches.batch import BatchStatistics
from grainseg.grains.batches.compare import Comparison
from grainseg.grains.batches.other_procedures import OtherProcedures
from grainseg.grains.batches.samples import FieldSample
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.labels.structure import Structure
from grainseg.grains.scoring.scores import MaskScores
from grainseg.report.files.robustness_note import RobustnessNote
from grainseg.report.pictures.preview import Preview


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from.

    Attributes:
        source: What was measured, in words: "boundaries predicted by a network", "label maps given".
        checkpoint: The network's file as typed; None where none was used.
        checkpoint_sha256: SHA-256 of the checkpoint in hexadecimal digits; None where none was used.
        config: The resolved configuration, as text.
        versions: Version of each program and library, by its name.
        command: The command as typed.
        settings: Settings that turned boundary maps into masks and grains, by name, each with its source.
    """

    source: str
    checkpoint: str | None
    checkpoint_sha256: str | None
    config: str
    versions: Mapping[str, str]
    command: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportImage:
    """One field as the report shows it.

    Attributes:
        batch: Name of the batch that it belongs to.
        field: The measured numbers.
        preview: Small pictures of the field.
        path: File of the picture or map.
        notes: Remarks about the file, one line each.
    """

    batch: str
    field: FieldMeasurement
    preview: Preview
    path: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportBatch:
    """One batch.

    Attributes:
        statistics: Its numbers.
        samples: The fields that they come from.
        others: Its G by other procedures.
    """

    statistics: BatchStatistics
    samples: tuple[FieldSample, ...]
    others: OtherProcedures


@dataclass(frozen=True)
class Report:
    """All contents of a report.

    Attributes:
        title: Title of the page.
        created: When the measurement ended, with a time zone.
        structure: What the boundary labels mean, as declared.
        provenance: Where the numbers come from.
        images: All fields, in the order in which they are shown.
        batches: All batches, in the order in which they are shown; each image's batch is among them.
        comparisons: Comparisons of all pairs of batches; empty where there is one batch.
        flags: Flags of the whole report, in plain words.
        robustness: Summary of the network's robustness card, and its plot (PNG); None without a card.
        scores: Scores against the labels, by name of the image; only of images that have a label.
    """

    title: str
    created: datetime
    structure: Structure
    provenance: Provenance
    images: tuple[ReportImage, ...]
    batches: tuple[ReportBatch, ...]
    comparisons: tuple[Comparison, ...] = ()
    flags: tuple[str, ...] = ()
    robustness: tuple[RobustnessNote, bytes] | None = None
    scores: Mapping[str, MaskScores] = field(default_factory=dict)
