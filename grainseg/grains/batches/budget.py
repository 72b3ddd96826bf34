"""Uncertainty budget of a batch's mean intercept, combined as in the GUM.

GUM: JCGM 100:2008, Guide to the expression of uncertainty in measurement. All parts are standard
uncertainties of the logarithm of the mean intercept, that is relative ones, and independent of each other.

A part that was not measured is unknown, not zero. The budget is then incomplete: it has no expanded
uncertainty. Where only the field sampling is known, it has not even a combined one, because the sampling
interval alone must not pass for the uncertainty. The width of the lines, which is known for every map, does
not change this.

The result is not corrected for a known bias of the segmentation. The GUM would correct it (3.2.4), but the
bias of a network is known from a few validation images and changes with the material and the picture; a
correction carried over to another batch may double the error instead. The bias is therefore counted into the
uncertainty as a root mean square, as the handbook Nordtest TR 537 does with the bias found on several
reference materials; Magnusson and Ellison (2008, Anal. Bioanal. Chem. 390:201) compare ways to do so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grainseg.grains.batches.samples import Estimate, t_quantile
from grainseg.grains.batches.welch import NO_SCATTER
from grainseg.grains.wording import counted, listed, percent, signed

SAMPLING = "field sampling"
PIXEL_SIZE = "pixel size"
LINE_WIDTH = "line width"
_SHARE = {PIXEL_SIZE: "uncertainty of the pixel size"}
"""Wording for parts that are missing, where the part's name alone would mislead (as if the pixel size itself
were missing)."""

MAX_ERROR_LN = 1.0
"""Largest error of a segmentation: if the mean intercepts of a prediction and a label differ by more than a
factor of e, the two do not belong to the same picture."""
_HIDDEN = 0.1
"""Part of the line share that lines can add to a mean intercept at most; see `hidden_by_lines`."""
_NARROW = 0.2
"""Line share above which the bound grows faster than the share."""
_MOST_IMAGES = 1_000_000
_ONE_IMAGE = "; one image does not show how much the error varies"
_LONGEST_SOURCE = 200
_NO_SEGMENTATION = (
    "unknown: no error against labels with these settings; predict.py takes one with segmentation_rel_unc "
    "and segmentation_images, grainseg measure with --segmentation-rel-unc and --segmentation-images"
)
_NO_PIXEL_SIZE = (
    "unknown: the uncertainty of the pixel size is not given; predict.py takes it with pixel_size_rel_unc, "
    "grainseg measure with --pixel-size-rel-unc"
)


@dataclass(frozen=True)
class SegmentationError:
    """Error of ln mean intercept, predicted minus label, over the images of a validation.

    It is read from checkpoints, also untrusted ones: types are checked as well as ranges.

    Attributes:
        bias_ln: Mean over the images, at most MAX_ERROR_LN in either direction.
        sd_ln: Standard deviation over the images (n - 1), up to MAX_ERROR_LN; ignored for a single image.
        images: Number of images, 1 to 1,000,000.
        source: Description such as "validation image" or "leave-one-out"; one line, at most 200 characters.

    Raises:
        ValueError: If a value is of another type or out of its range.
    """

    bias_ln: float
    sd_ln: float
    images: int
    source: str

    def __post_init__(self) -> None:
        # No message quotes the value: integers with thousands of digits cannot be printed.
        if not _is_number(self.bias_ln, -MAX_ERROR_LN, MAX_ERROR_LN):
            raise ValueError("bias_ln of the segmentation error is no number from -1 to 1")
        if not _is_number(self.sd_ln, 0, MAX_ERROR_LN):
            raise ValueError("sd_ln of the segmentation error is no number from 0 to 1")
        if type(self.images) is not int or not 1 <= self.images <= _MOST_IMAGES:
            raise ValueError(f"images of the segmentation error is no whole number from 1 to {_MOST_IMAGES}")
        if not (
            type(self.source) is str and len(self.source) <= _LONGEST_SOURCE and self.source.isprintable()
        ):
            raise ValueError(
                "source of the segmentation error is no text of one line and at most "
                f"{_LONGEST_SOURCE} characters"
            )

    @property
    def rms_ln(self) -> float:
        """Root mean square of the images' errors about zero."""
        scatter = self.sd_ln**2 * (self.images - 1) / self.images if self.images > 1 else 0.0
        return math.sqrt(self.bias_ln**2 + scatter)


@dataclass(frozen=True)
class StatedError:
    """Segmentation error given by the user, in place of a checkpoint's.

    Attributes:
        rel_unc: Relative standard uncertainty of the mean intercept, such as its root mean square error.
        images: Number of labelled pictures that it is from, 1 or more; None takes it as exactly known.
    """

    rel_unc: float
    images: int | None = None


@dataclass(frozen=True)
class BudgetEntry:
    """One part of the uncertainty.

    Attributes:
        name: Source of the uncertainty.
        standard_uncertainty_ln: Standard uncertainty of ln mean intercept; None if unknown.
        how: In words, where the number is from or why there is none.
        df: Degrees of freedom of the number; infinite for one that was judged or given.
        complete: False if the number covers only a share of the part.
    """

    name: str
    standard_uncertainty_ln: float | None
    how: str
    df: float = math.inf
    complete: bool = True


@dataclass(frozen=True)
class UncertaintyBudget:
    """The parts of the uncertainty and their combination.

    Attributes:
        entries: One per part, unknown ones included.
        combined_ln: Combined standard uncertainty of ln mean intercept. If the budget is incomplete, that of
            the known parts only, a lower bound; None if no part but field sampling and line width is known
            and above 0.
        df: Effective degrees of freedom; nan if incomplete.
        k: Coverage factor; nan if incomplete.
        expanded: k · combined_ln: the mean intercept lies within `value · exp(±expanded)` with 95 %; None if
            incomplete.
        coverage: Sentence on the coverage, or on what is missing.
        complete: Whether all parts are known.
    """

    entries: tuple[BudgetEntry, ...]
    combined_ln: float | None
    df: float
    k: float
    expanded: float | None
    coverage: str
    complete: bool


def intercept_budget(
    intercept: Estimate,
    unit: str,
    segmentation: SegmentationError | StatedError | None,
    pixel_size_rel_unc: float | None,
    threshold_sd_ln: float | None,
    line_share: float = 0.0,
    replicates: str = "fields",
    doubted: str | None = None,
) -> UncertaintyBudget:
    """Set up the uncertainty budget of a batch's mean intercept.

    Args:
        intercept: Mean intercept estimated from the fields.
        unit: "µm" or "px"; in px the pixel size takes no part.
        segmentation: Error of the boundaries against labels, measured in a validation or given by the user;
            None if unknown.
        pixel_size_rel_unc: Relative standard uncertainty of the pixel size, such as 0.01; None if unknown.
        threshold_sd_ln: Standard deviation of ln mean intercept over the thresholds that could have been
            chosen; 0 if there was no threshold, None if unknown.
        line_share: Width of the lines between the grains over the mean intercept; 0 if none were drawn.
        replicates: Units that the intercept's interval is computed over, such as "5 fields".
        doubted: How many fields are doubted, in words; None if none is. The error found on pictures like
            those of the training does not apply to them.

    Returns:
        The budget, always of five entries in the same order.

    Raises:
        ValueError: If an uncertainty is negative or not finite.
    """
    return combine(
        (
            _sampling(intercept, replicates),
            _segmentation(segmentation, doubted),
            _threshold(threshold_sd_ln),
            _pixel_size(unit, pixel_size_rel_unc),
            _line_width(line_share),
        )
    )


def hidden_by_lines(share: float) -> float:
    """Upper bound of the relative error that lines of finite width add to a mean intercept.

    Lines between grains hide the smallest grains. The bound is that of broad distributions (log-normal
    Laguerre cells), drawn and closed again (docs/measuring.md): a tenth of the share; above a share of 0.2
    it grows with the square of the share.

    Args:
        share: Width of the lines over the mean intercept.
    """
    return _HIDDEN * share * max(1.0, share / _NARROW)


def combine(entries: Sequence[BudgetEntry]) -> UncertaintyBudget:
    """Combine parts: root sum of squares, Welch-Satterthwaite degrees of freedom (GUM 5.1.2, G.4.1).

    For the coverage factor the degrees of freedom are rounded down, as GUM G.4.1 allows. With very few
    fields, further parts can lower the expanded uncertainty below that of the sampling alone (for the reason
    see Liu 2005, Metrologia 42:449). It is then that of the sampling.

    Args:
        entries: Independent parts.
    """
    known = [(part.name, part.standard_uncertainty_ln or 0.0, part.df) for part in entries if _known(part)]
    combined = math.sqrt(sum(value**2 for _, value, _ in known))
    missing = [part for part in entries if not (_known(part) and part.complete)]
    if missing:
        shown = (
            combined
            if any(value > 0 and name not in (SAMPLING, LINE_WIDTH) for name, value, _ in known)
            else None
        )
        words = _incomplete(missing)
        return UncertaintyBudget(tuple(entries), shown, math.nan, math.nan, None, words, False)
    shares = sum(value**4 / df for _, value, df in known)
    df = combined**4 / shares if shares > 0 else math.inf
    k = _coverage_factor(df)
    freedom = "" if math.isinf(df) else f" for {df:.1f} effective degrees of freedom, rounded down"
    sampling = max((_coverage_factor(own) * u for name, u, own in known if name == SAMPLING), default=0.0)
    if sampling > k * combined * (1 + 1e-9):
        k, freedom = sampling / combined, ", widened to the interval of the sampling alone"
    coverage = f"95 % (k = {k:.2f}{freedom})"
    return UncertaintyBudget(tuple(entries), combined, df, k, k * combined, coverage, True)


def _coverage_factor(df: float) -> float:
    return t_quantile(df if math.isinf(df) else max(1, math.floor(df + 1e-9)))


def _is_number(value: object, low: float, high: float) -> bool:
    """Whether a value is an int or float (no bool, no other subclass) within the bounds; false for nan."""
    return type(value) in (int, float) and low <= value <= high  # type: ignore[operator]


def _known(part: BudgetEntry) -> bool:
    return part.standard_uncertainty_ln is not None


def _incomplete(missing: Sequence[BudgetEntry]) -> str:
    groups: dict[str, list[str]] = {"unknown": [], "partly unknown": []}
    for part in missing:
        groups["partly unknown" if _known(part) else "unknown"].append(_SHARE.get(part.name, part.name))
    names = ", ".join(f"{listed(parts)} {word}" for word, parts in groups.items() if parts)
    if any(part.name == SAMPLING for part in missing):  # then there is no such interval
        return f"incomplete: {names}"
    return f"incomplete: {names}; the sampling interval alone is not the uncertainty"


def _sampling(intercept: Estimate, replicates: str) -> BudgetEntry:
    if intercept.df < 1:
        return BudgetEntry(SAMPLING, None, f"unknown: {replicates}, and so no scatter")
    if not intercept.se_ln > NO_SCATTER:
        return BudgetEntry(
            SAMPLING, None, f"unknown: {replicates} do not differ at all; copies of one picture?"
        )
    return BudgetEntry(SAMPLING, intercept.se_ln, f"jackknife over {replicates}", intercept.df)


def _segmentation(error: SegmentationError | StatedError | None, doubted: str | None) -> BudgetEntry:
    """Root mean square error over the images, not divided by their number.

    The causes of a network's error on an image (etching, focus, brightness) are often common to all fields of
    a batch, so the error is not assumed to average out over them. The share of the error that does differ
    between fields is also in their scatter and counts twice, which is on the safe side.

    The error of the labels themselves is not included. Nordtest TR 537 adds it, u(bias)² = RMS² + u(Cref)²,
    but a single label of each picture does not show it.
    """
    if error is None:
        return BudgetEntry("segmentation", None, _NO_SEGMENTATION)
    if isinstance(error, StatedError):
        return _stated(error)
    how = f"{error.source}: bias {signed(percent(error.bias_ln), 2)} %, not corrected"
    if error.images == 1:
        how += _ONE_IMAGE
    else:
        how += f", scatter {percent(error.sd_ln):.2f} % over {counted(error.images, 'image')}"
    how += "; the labels are taken as right, their own uncertainty is not in it"
    if doubted is not None:
        how += f"; measured on pictures unlike those that the error was found on: {doubted} doubted"
    complete = error.images > 1 and doubted is None
    return BudgetEntry("segmentation", error.rms_ln, how, float(error.images), complete)


def _stated(error: StatedError) -> BudgetEntry:
    """Budget entry of a given error: a root mean square about zero over n pictures has n df (GUM G.3.3)."""
    how = "relative standard uncertainty, as given"
    if error.images is None:
        how += ", and taken as exactly known: nobody said how many pictures it is from"
        return _said("segmentation", error.rel_unc, how)
    how += f", from {counted(error.images, 'picture')}"
    if error.images == 1:
        how += _ONE_IMAGE
    return replace(
        _said("segmentation", error.rel_unc, how), df=float(error.images), complete=error.images > 1
    )


def _line_width(share: float) -> BudgetEntry:
    """Budget entry for small grains hidden by lines: an error between 0 and the bound (GUM 4.3.7).

    The error makes intercepts too long and is not corrected, so its root mean square about zero counts.
    """
    if not (math.isfinite(share) and share >= 0):
        raise ValueError(f"lines of {share} of the mean intercept: negative or no number")
    if share == 0:
        return BudgetEntry(LINE_WIDTH, 0.0, "takes no part: grains were given, not lines between them")
    bound = hidden_by_lines(share)
    how = f"lines of {share:.2f} of the mean intercept hide small grains: 0 to {100 * bound:.1f} % too long"
    return BudgetEntry(LINE_WIDTH, bound / math.sqrt(3), how)


def _pixel_size(unit: str, relative: float | None) -> BudgetEntry:
    if unit == "px":
        return BudgetEntry(PIXEL_SIZE, 0.0, "takes no part: lengths are in px")
    if relative is None:
        return BudgetEntry(PIXEL_SIZE, None, _NO_PIXEL_SIZE)
    return _said(PIXEL_SIZE, relative, f"relative standard uncertainty of {100 * relative:.3g} %, as given")


def _threshold(sd_ln: float | None) -> BudgetEntry:
    name = "threshold"
    if sd_ln is None:
        return BudgetEntry(name, None, "unknown: nothing or everything is boundary at thresholds next to it")
    if sd_ln == 0:
        return BudgetEntry(name, 0.0, "takes no part: boundaries were given, or none depends on it")
    return _said(name, sd_ln, "shift of ln mean intercept with the threshold")


def _said(name: str, value: float, how: str) -> BudgetEntry:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"uncertainty {value} of the {name} is negative or no number")
    return BudgetEntry(name, value, how)
