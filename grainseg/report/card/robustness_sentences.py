"""The results of a robustness card as sentences: verdicts on targets, other remarks, names of corruptions."""

import math
from dataclasses import dataclass

from grainseg.grains.trust.doubt import FLAG_ABOVE, MUCH_LOST
from grainseg.grains.trust.robustness import (
    MOST_LOST,
    TARGET_DRIFT,
    TARGET_LEAST_SHARE,
    TARGET_MEAN_SHARE,
    Card,
    Cell,
)
from grainseg.grains.wording import minus, signed
from grainseg.micrograph.corruptions import Corruption
from grainseg.report.html.cells import MISSING, number_text


@dataclass(frozen=True)
class Verdict:
    """Whether a method meets one target.

    Attributes:
        met: Whether the target was reached.
        sentence: The target and the figures, in a sentence.
    """

    met: bool
    sentence: str


def verdicts(card: Card) -> tuple[Verdict, ...]:
    """Whether each of the three targets was met, with a sentence that gives the figures."""
    worst, light, single = card.worst_share, card.worst_light, card.worst_light_picture
    below, blind = card.below_least, card.without_information
    gone = (
        f" A method that found all boundaries that are left there would drift by {_signed(lost)}."
        if (lost := light.lost_drift.mean) > 0
        else ""
    )
    some = f"; {len(blind)} of the card hold no information and are not asked" if blind else ""
    return (
        Verdict(
            card.keeps_mean,
            f"Mean over the card: {_percent(card.mean_share)} of the clean IoU (target: at least "
            f"{_percent(TARGET_MEAN_SHARE)}; every kind counts once).",
        ),
        Verdict(
            not below,
            f"Worst cell: {_percent(worst.iou_share)} of the clean IoU ({_named(worst)}). {len(below)} of "
            f"{len(card.cells)} cells below {_percent(TARGET_LEAST_SHARE)} (target: none{some}).",
        ),
        Verdict(
            card.keeps_size,
            f"Largest drift of the mean intercept under a change of light: {_signed(light.drift.mean)} in "
            f"the mean over the pictures ({_named(light)}; target: below {100 * TARGET_DRIFT:.0f} %), "
            f"{_signed(single.drift.worst)} in a single picture ({_named(single)})."
            + gone
            + ("" if card.has_size else " On an untouched picture no boundary was found."),
        ),
    )


def remarks(card: Card) -> list[str]:
    """Results without a target: the largest drift that no change of light caused, and whether doubt works."""
    doubt = doubt_sentence(card)
    return [_drift_sentence(card.worst_other), *([] if doubt is None else [doubt])]


def _drift_sentence(cell: Cell) -> str:
    blind = "" if cell.holds_information else ", where the pictures hold no information"
    return (
        "Largest drift of the mean intercept under all that is no change of light: "
        f"{_signed(cell.drift.mean)} in the mean over the pictures ({_named(cell)}{blind}; no target)."
    )


def corruption_name(of: Corruption) -> str:
    """Kind, variant, level and amount in words."""
    return f"{of.title}, {of.level}: {of.strength}"


def _named(cell: Cell) -> str:
    return "untouched" if cell.corruption is None else corruption_name(cell.corruption)


def information_sentence() -> str:
    """The rule that decides whether pictures hold no information, in words."""
    return (
        "A place of the labelled line is lost where all grey levels around it, as far as the line is wide, "
        f"are equal (of 256). Pictures hold no information where more than {_percent(MOST_LOST)} of the line "
        "is lost, in the mean over the pictures. Noise and texture, which make no place even, never count. "
        "A boundary is lost where more than half of it is; what that does to the label's own mean intercept "
        "is the drift of a method that finds all others: the least that can be expected of such pictures."
    )


def doubt_sentence(card: Card) -> str | None:
    """How well the doubt finds wrong predictions on these pictures; None for a method without a doubt."""
    check = card.doubt_check
    if check is None:
        return None
    ranks = [MISSING if math.isnan(rank) else minus(f"{rank:.2f}")
             for rank in (check.rank_iou, check.rank_f1, check.rank_count)]  # fmt: skip
    return (
        f"Doubt, which needs no label: rank correlation {ranks[0]} with the share of the IoU that is lost, "
        f"{ranks[1]} with what is missing from a boundary F1 of 1, {ranks[2]} with the grain count error "
        f"(Spearman, pictures of all cells; 1 would be perfect, 0 no better than chance). Flagged (above "
        f"{FLAG_ABOVE:g}): {check.bad_flagged} of {check.bad} that lost more than {_percent(MUCH_LOST)} of "
        f"the IoU on the untouched picture, {check.good_flagged} of the {check.good} others."
    )


def per_cent(value: float) -> str:
    """A share in percent, without the unit."""
    return number_text(100 * value, places=0 if abs(value) >= 0.1 else 1)


def per_cent_signed(value: float) -> str:
    """A drift or an error in percent, with its sign, without the unit."""
    if not math.isfinite(value):
        return MISSING if math.isnan(value) else "∞"
    return signed(round(100 * value, 1) + 0.0, 1)  # no -0.0


def _percent(value: float) -> str:
    return f"{per_cent(value)} %"


def _signed(value: float) -> str:
    return f"{per_cent_signed(value)} %"
