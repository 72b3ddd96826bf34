"""Robustness cards of methods whose behaviour is known."""

from datetime import UTC, datetime

import numpy as np

from grainseg.grains.trust.robustness import ImageScores, Seen, make_card
from grainseg.micrograph.corruptions import CORRUPTIONS, KINDS
from grainseg.report.card.robustness_page import RobustnessReport, make_sample
from grainseg.report.card.robustness_plots import card_plots
from grainseg.report.html.contents import Provenance

SEEN = {kind.name: Seen("no", "not drawn in training") for kind in KINDS}
ROLES = {"a": "trained the network", "b": "chose the checkpoint"}


def scores(
    image="a", iou=0.6, f1=0.9, count=0.0, intercept=20.0, label=20.0, lost=0.0, left=None, doubt=0.02
):
    left = label if left is None else left
    return ImageScores(image, iou, f1, count, intercept, label, lost, left, doubt)


def card(method="network", change=lambda corruption, image: scores(image), seen=SEEN):
    """The card of a method that does on each corrupted picture what ``change`` says."""
    clean = [scores("a"), scores("b", iou=0.4, f1=0.8)]
    corrupted = {each: [change(each, "a"), change(each, "b")] for each in CORRUPTIONS}
    return make_card(method, seen, clean, corrupted)


def robustness_report(cards):
    grey = np.linspace(0, 1, 200 * 210, dtype=np.float32).reshape(200, 210, 1)
    samples = [make_sample(None, grey, (200, 210))]
    samples += [make_sample(each, each.apply(grey, 0), (200, 210)) for each in CORRUPTIONS]
    return RobustnessReport(
        title="Robustness card",
        created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        provenance=Provenance(
            "boundaries", "best.ckpt", "ab" * 32, "seed: 0", {"grainseg": "1"}, "grainseg robustness"
        ),
        choice="Images: all.",
        roles=ROLES,
        record="",
        cards=cards,
        samples=samples,
        svg=card_plots(cards)[0],
        seed=0,
    )
