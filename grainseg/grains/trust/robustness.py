"""The robustness card: compares scores under corruptions with scores on the untouched pictures.

Drift and error of the mean intercept differ. The drift compares a method with itself: the mean intercept
predicted under the corruption over that predicted on the untouched picture, minus 1. The error compares the
prediction with the label. Both are signed: above 0, grains look too large, as where boundaries were missed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from scipy.stats import spearmanr

from grainseg.grains.trust.doubt import FLAG_ABOVE, MUCH_LOST
from grainseg.micrograph.corruptions import KINDS, Corruption

TARGET_MEAN_SHARE = 0.85
"""Target for the share of the clean IoU that is kept, as mean over the card."""
TARGET_LEAST_SHARE = 0.5
"""Target for the share of the clean IoU that is kept in every cell whose pictures hold information."""
TARGET_DRIFT = 0.05
"""Target for the magnitude of the drift: below this under every change of light."""
MOST_LOST = 0.5
"""Share of the labelled line in places of one grey level above which a picture holds no information: a method
that guesses nothing cannot keep half of its IoU there."""


@dataclass(frozen=True)
class ImageScores:
    """Scores of a method on one picture, corrupted or not.

    Attributes:
        image: Name of the picture.
        iou: IoU of the boundary class.
        boundary_f1: Tolerant F1 of the lines.
        signed_count_error: Predicted over labelled number of grains, minus 1.
        intercept_px: Predicted mean lineal intercept; infinite where no boundary is crossed.
        label_intercept_px: Mean lineal intercept of the label.
        lost_share: Share of the labelled line about which the picture holds no information.
        left_intercept_px: That of the label without the boundaries of which the picture lost more than half.
        doubt: Doubt score, computed without the label; nan for a method that has none.
    """

    image: str
    iou: float
    boundary_f1: float
    signed_count_error: float
    intercept_px: float
    label_intercept_px: float
    lost_share: float
    left_intercept_px: float
    doubt: float = math.nan

    @property
    def intercept_error(self) -> float:
        """Predicted over labelled mean intercept, minus 1."""
        return relative(self.intercept_px, self.label_intercept_px)

    @property
    def lost_drift(self) -> float:
        """Drift of a method that finds all boundaries that the picture still shows, and misses the others."""
        return relative(self.left_intercept_px, self.label_intercept_px)

    def drift(self, clean: "ImageScores") -> float:
        """Predicted mean intercept over that predicted on the untouched picture, minus 1."""
        return relative(self.intercept_px, clean.intercept_px)


@dataclass(frozen=True)
class Spread:
    """Mean and worst value of a quantity over the pictures.

    Attributes:
        mean: Arithmetic mean, of signed values where the quantity has a sign.
        worst: Value of the worst picture: the lowest score, or the error of the largest magnitude.
    """

    mean: float
    worst: float


@dataclass(frozen=True)
class Cell:
    """A method under one corruption, over all pictures.

    Attributes:
        corruption: The corruption; None for the untouched pictures.
        iou: IoU of the boundary class; the lowest is the worst.
        boundary_f1: Tolerant F1 of the lines; the lowest is the worst.
        count_error: Magnitude of the relative error of the number of grains.
        drift: Signed drift of the mean intercept against the prediction on the untouched picture.
        intercept_error: Signed error of the mean intercept against the label.
        lost_share: Share of the labelled line about which the pictures hold no information.
        lost_drift: Drift of the label itself, without the boundaries that the pictures no longer show.
        doubt: Doubt score; the largest is the worst.
        iou_share: Mean IoU over that on the untouched pictures; nan where that is 0.
        scores: Scores of each picture.
    """

    corruption: Corruption | None
    iou: Spread
    boundary_f1: Spread
    count_error: Spread
    drift: Spread
    intercept_error: Spread
    lost_share: Spread
    lost_drift: Spread
    doubt: Spread
    iou_share: float
    scores: tuple[ImageScores, ...]

    @property
    def holds_information(self) -> bool:
        """Whether the pictures show enough of their boundaries to apply `TARGET_LEAST_SHARE`."""
        return self.lost_share.mean <= MOST_LOST


@dataclass(frozen=True)
class Seen:
    """Whether training has seen a kind of corruption.

    Attributes:
        answer: "yes", "weaker" (less than the card's strongest), "in part", "no" or "unknown".
        words: How strong the corruption was in training, or why that is unknown.
    """

    answer: str
    words: str


@dataclass(frozen=True)
class DoubtCheck:
    """How well the doubt detects wrong predictions without a label, over the pictures of all cells together.

    Attributes:
        rank_iou: Spearman's rank correlation of the doubt with the lost share of the IoU; nan where all
            values of one are equal.
        rank_f1: The same with 1 minus the boundary F1.
        rank_count: The same with the magnitude of the relative error of the number of grains.
        bad: Number of predictions that lost more than `MUCH_LOST` of the IoU on their untouched picture.
        bad_flagged: Number of these that the doubt flags.
        good: Number of all other predictions.
        good_flagged: Number of these that the doubt flags.
    """

    rank_iou: float
    rank_f1: float
    rank_count: float
    bad: int
    bad_flagged: int
    good: int
    good_flagged: int


@dataclass(frozen=True)
class Card:
    """A method under all corruptions.

    Attributes:
        method: Name of the method.
        seen: For each kind by name, whether the method's training has seen it.
        clean: Cell of the untouched pictures.
        cells: One cell per corruption.
    """

    method: str
    seen: Mapping[str, Seen]
    clean: Cell
    cells: tuple[Cell, ...]

    @cached_property
    def mean_share(self) -> float:
        """Mean share of the clean IoU; every kind counts once, whatever its number of levels and variants."""
        by_kind = [
            _mean([cell.iou_share for cell in self.cells if _kind_name(cell) == kind.name]) for kind in KINDS
        ]
        return _mean([share for share in by_kind if not math.isnan(share)])

    @property
    def worst_share(self) -> Cell:
        """Cell with the lowest share of the clean IoU."""
        return min(self.cells, key=lambda cell: cell.iou_share)

    @property
    def below_least(self) -> tuple[Cell, ...]:
        """Cells below `TARGET_LEAST_SHARE` although their pictures hold information."""
        return tuple(
            cell for cell in self.cells if cell.holds_information and not cell.iou_share >= TARGET_LEAST_SHARE
        )

    @property
    def without_information(self) -> tuple[Cell, ...]:
        """Cells whose pictures hold no information."""
        return tuple(cell for cell in self.cells if not cell.holds_information)

    @cached_property
    def doubt_check(self) -> DoubtCheck | None:
        """Check of the doubt on these pictures; None without doubt scores or any untouched IoU above 0."""
        pairs = [
            (each, 1 - each.iou / clean.iou)
            for cell in (self.clean, *self.cells)
            for each, clean in zip(cell.scores, self.clean.scores, strict=True)
            if clean.iou > 0
        ]
        if any(math.isnan(each.doubt) for each, _ in pairs) or not pairs:
            return None
        doubts = [each.doubt for each, _ in pairs]
        flagged = [(lost > MUCH_LOST, each.doubt > FLAG_ABOVE) for each, lost in pairs]
        return DoubtCheck(
            rank_iou=_rank_correlation(doubts, [lost for _, lost in pairs]),
            rank_f1=_rank_correlation(doubts, [1 - each.boundary_f1 for each, _ in pairs]),
            rank_count=_rank_correlation(doubts, [abs(each.signed_count_error) for each, _ in pairs]),
            bad=sum(bad for bad, _ in flagged),
            bad_flagged=flagged.count((True, True)),
            good=sum(not bad for bad, _ in flagged),
            good_flagged=flagged.count((False, True)),
        )

    @property
    def light(self) -> tuple[Cell, ...]:
        """The cells of changes of light."""
        return tuple(
            cell for cell in self.cells if cell.corruption is not None and cell.corruption.kind.is_light
        )

    @property
    def worst_light(self) -> Cell:
        """Change of light with the largest drift in the mean over the pictures."""
        return max(self.light, key=lambda cell: abs(cell.drift.mean))

    @property
    def worst_light_picture(self) -> Cell:
        """Change of light with the largest drift of a single picture."""
        return max(self.light, key=lambda cell: abs(cell.drift.worst))

    @property
    def worst_other(self) -> Cell:
        """Of the other corruptions, the one with the largest drift in the mean over the pictures."""
        others = [cell for cell in self.cells if cell.corruption and not cell.corruption.kind.is_light]
        return max(others, key=lambda cell: abs(cell.drift.mean))

    @property
    def keeps_mean(self) -> bool:
        """Whether the mean share reaches its target."""
        return self.mean_share >= TARGET_MEAN_SHARE

    @property
    def has_size(self) -> bool:
        """Whether a boundary was found on every untouched picture, so that the drift is defined."""
        return all(math.isfinite(each.intercept_px) for each in self.clean.scores)

    @property
    def keeps_size(self) -> bool:
        """Whether the mean drift over the pictures stays below its target under every change of light."""
        return self.has_size and abs(self.worst_light.drift.mean) < TARGET_DRIFT


def make_card(
    method: str,
    seen: Mapping[str, Seen],
    clean: Sequence[ImageScores],
    corrupted: Mapping[Corruption, Sequence[ImageScores]],
) -> Card:
    """Make the card of a method.

    Args:
        method: Name of the method.
        seen: Whether its training has seen each kind, by the kind's name.
        clean: Scores on the untouched pictures, at least one.
        corrupted: Scores under each corruption, on the same pictures in the same order.

    Raises:
        ValueError: A corruption has another number of pictures.
    """
    cells = tuple(_cell(corruption, scores, clean) for corruption, scores in corrupted.items())
    return Card(method, seen, _cell(None, clean, clean), cells)


def relative(value: float, reference: float) -> float:
    """Quotient of two mean intercepts minus 1; 0 where both are infinite, without any boundary crossed."""
    if math.isinf(value) and math.isinf(reference):
        return 0.0
    return value / reference - 1


def _cell(corruption: Corruption | None, scores: Sequence[ImageScores], clean: Sequence[ImageScores]) -> Cell:
    iou = _spread([each.iou for each in scores], min)
    clean_iou = _mean([each.iou for each in clean])
    return Cell(
        corruption=corruption,
        iou=iou,
        boundary_f1=_spread([each.boundary_f1 for each in scores], min),
        count_error=_spread([abs(each.signed_count_error) for each in scores], max),
        drift=_spread([each.drift(pure) for each, pure in zip(scores, clean, strict=True)], _largest),
        intercept_error=_spread([each.intercept_error for each in scores], _largest),
        lost_share=_spread([each.lost_share for each in scores], max),
        lost_drift=_spread([each.lost_drift for each in scores], max),
        doubt=_spread([each.doubt for each in scores], max),
        iou_share=iou.mean / clean_iou if clean_iou > 0 else math.nan,
        scores=tuple(scores),
    )


def _rank_correlation(some: Sequence[float], others: Sequence[float]) -> float:
    """Spearman's rank correlation; nan where one of the two is constant or `others` is not finite."""
    if len(set(some)) < 2 or len(set(others)) < 2 or not all(map(math.isfinite, others)):
        return math.nan
    return float(spearmanr(some, others).statistic)


def _spread(values: Sequence[float], worst: Callable[[Sequence[float]], float]) -> Spread:
    return Spread(_mean(values), worst(values))


def _largest(values: Sequence[float]) -> float:
    return max(values, key=abs)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def _kind_name(cell: Cell) -> str:
    return "" if cell.corruption is None else cell.corruption.kind.name
