"""Sentences on a comparison of two batches: the finding, the decision, and what limits them."""

from grainseg.grains.batches.compared import MIN_REPLICATES, ComparedBatch, unequal_lines
from grainseg.grains.batches.samples import FIELD, SPECIMEN, Estimate
from grainseg.grains.measuring.astm import MIN_FIELDS
from grainseg.grains.wording import counted, plural, signed

DIFFERENT = "different"
EQUIVALENT = "equivalent"
NOT_ENOUGH = {FIELD: "not enough fields", SPECIMEN: "not enough specimens"}
"""Verdict without a decision, by the unit of replication."""

_MOST_NEEDED = 1000
"""Units per batch above which the exact number is not given."""
_IN_WORDS = ("no", "one", "two", "three")

_SYSTEMATIC = {
    "µm": (
        "An error that both batches share cancels in the ratio and in ΔG: that of the pixel size, if one "
        "instrument took all images at one magnification, and the bias of the segmentation, if one network "
        "saw material that looks the same. Where these differ between the batches they do not cancel, and "
        "the intervals do not contain them."
    ),
    "px": (
        "Lengths in px compare only if all images have the same pixel size. A bias of the segmentation "
        "cancels in the ratio if one network saw material that looks the same; otherwise it does not, and "
        "the intervals do not contain it."
    ),
}
_LINES = (
    "What lines hide of the smallest grains cancels only where they are equally wide, relative to the grains."
)
_SCATTER = {
    FIELD: (
        "Fields of one specimen speak for that specimen, and more of them do not speak for others: the "
        "scatter between specimens is in no interval and no test. Take several specimens of each batch, and "
        "name them in the table of batches (column specimen)."
    ),
    SPECIMEN: "Specimens are the unit of replication: the scatter between them is in intervals and tests.",
}


def systematic_words(unit: str, replicate: str) -> str:
    """Explain which errors and which scatter the tests and intervals of a comparison contain.

    Args:
        unit: "µm" or "px".
        replicate: FIELD or SPECIMEN.
    """
    return f"{_SYSTEMATIC[unit]} {_LINES} {_SCATTER[replicate]}"


def finding(
    a: ComparedBatch, b: ComparedBatch, ratio: Estimate, delta_g: Estimate | None, p_holm: float, tested: int
) -> str:
    """Report the ratio with its interval, and the test of no difference.

    Args:
        a: First batch.
        b: Second batch.
        ratio: Ratio of b over a.
        delta_g: The same as a difference in G; None in px.
        p_holm: p-value of no difference, corrected for the number of pairs tested.
        tested: Number of pairs tested.
    """
    value, low, high = (100 * (number - 1) for number in (ratio.value, ratio.low, ratio.high))
    direction = "larger" if value >= 0 else "smaller"
    p = "p < 0.0001" if p_holm < 1e-4 else f"p = {p_holm:.2g}"
    alone, corrected = (" of this pair alone", f" after Holm for {tested} pairs") if tested > 1 else ("", "")
    in_g = ""
    if delta_g is not None:
        g, g_low, g_high = (signed(number, 2) for number in (delta_g.value, delta_g.low, delta_g.high))
        in_g = f", which is {g} in G, {g_low} to {g_high}"
    return (
        f"The geometric mean of the {plural(a.replicate)}' mean intercepts is {abs(value):.1f} % {direction} "
        f"in {b.name} than in {a.name} (95 % sampling interval{alone} {signed(low, 1)} to "
        f"{signed(high, 1)} %{in_g}; {p}{corrected})."
    )


def decision(
    verdict: str,
    different: bool,
    alone: bool,
    ratio: Estimate,
    margin_g: float,
    needed: int | None,
    replicate: str,
) -> str:
    """Report what follows from the tests.

    Args:
        verdict: DIFFERENT, EQUIVALENT or one of NOT_ENOUGH.
        different: Whether a difference was found; an equivalent pair may have one, too.
        alone: Whether the pair would be equivalent if it were the only one tested.
        ratio: Ratio of b over a.
        margin_g: Margin of equivalence in G.
        needed: Units per batch that would decide; None if no number would, because lines differ in width.
        replicate: FIELD or SPECIMEN.
    """
    low, high = (2 ** (each * margin_g / 2) for each in (-1, 1))
    within = f"±{margin_g:g} G ({signed(100 * (low - 1), 1)} to {signed(100 * (high - 1), 1)} %)"
    of_pair = ", though equivalence would be for this pair alone" if alone else ""
    if verdict == DIFFERENT and (ratio.high < low or ratio.low > high):
        return f"The batches are different, and the whole interval lies beyond {within}."
    if verdict == DIFFERENT:
        return f"The batches are different; that they differ by less than {within} is not shown{of_pair}."
    if verdict == EQUIVALENT:
        found = "A difference exists, but it" if different else "The difference"
        return (
            f"{found} is smaller than {within}: going by the scatter between {plural(replicate)}, the "
            "batches are equivalent within this margin."
        )
    if needed is None:
        return (
            f"Neither a difference nor equivalence within {within} is shown, and while lines differ so much "
            f"in width, no number of {plural(replicate)} can show the latter."
        )
    # New units only: adding fields and testing again until something is found raises the false alarms.
    wanted = _about(needed, f"new {replicate}")
    return (
        f"Not enough {plural(replicate)}: neither a difference nor equivalence within {within} is shown"
        f"{of_pair}; at this scatter {wanted}, compared without these, would decide."
    )


def no_test(a: ComparedBatch, b: ComparedBatch, needed: int | None) -> str:
    """Explain why a pair could not be tested.

    Args:
        a: First batch.
        b: Second batch.
        needed: Units per batch that would decide, from the batch that shows some scatter; None if none does.
    """
    units = plural(a.replicate)
    few = [batch for batch in (a, b) if batch.count < MIN_REPLICATES]
    if not few:
        alike = " and ".join(batch.name for batch in (a, b) if batch.all_alike)
        return (
            f"Not enough {units} for {a.name} and {b.name}: the {units} of {alike} do not differ at all, so "
            "nothing is known about their scatter; are they copies of one image?"
        )
    counts = " and ".join(
        f"{each.name} has {_IN_WORDS[each.count]} {each.replicate if each.count < 2 else units}"
        for each in few
    )
    wanted = f"; {_about(needed, a.replicate)} would decide at the scatter of the other" if needed else ""
    return (
        f"Not enough {units} for {a.name} and {b.name}: {counts}, and fewer than "
        f"{_IN_WORDS[MIN_REPLICATES]} show too little of the scatter{wanted}."
    )


def cautions(a: ComparedBatch, b: ComparedBatch) -> list[str]:
    """Limits of the comparison, one sentence each."""
    if a.replicate == SPECIMEN:
        found = [f"Specimens are the unit: {a.count} of {a.name} and {b.count} of {b.name}."]
    else:
        found = ["Fields are the unit: scatter between specimens is not included."]
    few = [batch.name for batch in (a, b) if MIN_REPLICATES <= batch.count < MIN_FIELDS]
    if few:
        units = plural(a.replicate)
        found.append(f"Fewer than {MIN_FIELDS} {units} in {' and '.join(few)}: the scatter is badly known.")
    lines = unequal_lines(a, b)
    if lines:
        found.append(
            f"Lines of {a.line_share:.2f} of the mean intercept in {a.name} and of {b.line_share:.2f} in "
            f"{b.name} hide small grains and make it up to {100 * a.hidden:.1f} and {100 * b.hidden:.1f} % "
            f"too long: {100 * lines:.1f} % between the batches may be the lines'. The test of equivalence "
            "allows for this, that of a difference does not: draw or predict lines of one width."
        )
    for batch in (a, b):
        if batch.left_out:
            are = "is" if batch.left_out == 1 else "are"
            left_out = counted(batch.left_out, batch.replicate)
            found.append(f"{left_out} of {batch.name} {are} left out: no boundary is crossed.")
    return found


def _about(needed: int, replicate: str) -> str:
    """Number of units per batch in words; above 1000, more than anybody measures, not the exact number."""
    number = f"about {needed}" if needed <= _MOST_NEEDED else f"more than {_MOST_NEEDED}"
    return f"{number} {plural(replicate)} per batch"
