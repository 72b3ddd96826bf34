"""The robustness card as an HTML page in the style of the report: one file, no network requests."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from grainseg.grains.trust.robustness import Card
from grainseg.micrograph.corruptions import KINDS, LEVELS, Corruption
from grainseg.micrograph.image import FloatImage
from grainseg.report.card import robustness_sentences as sentences
from grainseg.report.card import robustness_views as views
from grainseg.report.html.contents import Provenance
from grainseg.report.html.page import write_page
from grainseg.report.pictures.preview import data_uri

_SAMPLE_PX = 160
"""Side in px of the piece that the samples show, measured on the untouched picture."""
_QUALITY = 80


@dataclass(frozen=True)
class Sample:
    """A small piece of a picture, corrupted.

    Attributes:
        corruption: What was done to the picture; None for the untouched one.
        webp: The piece as WebP.
    """

    corruption: Corruption | None
    webp: bytes


@dataclass(frozen=True)
class RobustnessReport:
    """The contents of the page.

    Attributes:
        title: Title of the page.
        created: When the card was made.
        provenance: Where the numbers come from.
        choice: A sentence that says which images were taken, and why.
        roles: Role of each image in the network's training, by its name.
        record: Source of what training has seen; empty if there is none.
        cards: One card per method, the network's first.
        samples: Samples of all corruptions, the untouched piece first.
        svg: The plot as an ``<svg>`` element.
        seed: Seed of the corruptions.
    """

    title: str
    created: datetime
    provenance: Provenance
    choice: str
    roles: Mapping[str, str]
    record: str
    cards: Sequence[Card]
    samples: Sequence[Sample]
    svg: str
    seed: int


def write_robustness(path: Path, report: RobustnessReport) -> None:
    """Write the page of a robustness card.

    Raises:
        GrainsegError: The file cannot be written.
    """
    write_page(path, "robustness.html", _context(report))


def make_sample(corruption: Corruption | None, picture: FloatImage, shape: tuple[int, int]) -> Sample:
    """Cut the middle out of a picture and encode it.

    Args:
        corruption: What was done to the picture; None for the untouched one.
        picture: (h, w, C) float32 in [0, 1], in the size that the corruption left.
        shape: Height and width of the untouched picture: the piece shows the same part of the field.
    """
    zoom = picture.shape[0] / shape[0]
    height, width = (min(round(_SAMPLE_PX * zoom), side) for side in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    piece = np.clip(picture[top : top + height, left : left + width], 0, 1)
    levels = np.rint(255 * (piece[:, :, 0] if piece.shape[2] == 1 else piece)).astype(np.uint8)
    with io.BytesIO() as buffer:
        Image.fromarray(levels).save(buffer, "WEBP", quality=_QUALITY, method=4)
        return Sample(corruption, buffer.getvalue())


def _context(report: RobustnessReport) -> dict[str, Any]:
    first = report.cards[0]
    provenance = report.provenance
    facts = [("Checkpoint", provenance.checkpoint or ""), ("SHA-256", provenance.checkpoint_sha256 or "")]
    return {
        "report": report,
        "levels": LEVELS,
        "methods": [card.method for card in report.cards],
        "summary": views.summary_table(report.cards),
        "verdicts": [(card.method, sentences.verdicts(card)) for card in report.cards],
        "remarks": {card.method: sentences.remarks(card) for card in report.cards},
        "information": sentences.information_sentence(),
        "heats": [
            ("iou", "Boundary IoU", views.iou_heat(report.cards)),
            ("drift", "Drift of the mean intercept, %", views.drift_heat(report.cards)),
            ("count", "Grain count error, %", views.count_heat(report.cards)),
        ],
        "full": views.full_table(report.cards),
        "plot": Markup(report.svg),
        "samples": [_sample_view(sample) for sample in report.samples],
        "kinds": [(kind, first.seen[kind.name]) for kind in KINDS],
        "facts": [
            *facts,
            ("Command", provenance.command),
            ("Seed", report.seed),
            *provenance.settings.items(),
            *provenance.versions.items(),
        ],
    }


def _sample_view(sample: Sample) -> tuple[str, str]:
    of = sample.corruption
    return data_uri(sample.webp), "Untouched" if of is None else sentences.corruption_name(of)
