"""The robustness card as CSV: robustness.csv, and robustness_images.csv with the same of each picture.

Shares and relative errors are fractions: 0.05 is 5 %. For how the files are written see `tables`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grainseg.grains.trust.robustness import Card, Cell, Spread
from grainseg.report.files.batch_rows import Row, Value
from grainseg.report.files.tables import write_csv

CLEAN = "clean"
"""Kind of the row of the untouched pictures."""


def write_cells(path: Path, cards: Sequence[Card]) -> None:
    """One row per method and corruption, the untouched pictures first, see `cell_row`.

    Raises:
        GrainsegError: The file cannot be written.
    """
    write_csv(path, (cell_row(card, cell) for card in cards for cell in (card.clean, *card.cells)))


def write_images(path: Path, cards: Sequence[Card], roles: Mapping[str, str]) -> None:
    """One row per method, corruption and picture.

    Args:
        path: File to write.
        cards: At least one.
        roles: What each picture did for the network, by its name.

    Raises:
        GrainsegError: The file cannot be written.
    """
    rows = [
        row for card in cards for cell in (card.clean, *card.cells) for row in _image_rows(card, cell, roles)
    ]
    write_csv(path, rows)


def cell_key(card: Card, cell: Cell) -> dict[str, str]:
    """What finds the row of a cell in robustness.csv."""
    if cell.corruption is None:
        return {"method": card.method, "kind": CLEAN, "variant": "", "level": ""}
    of = cell.corruption
    return {"method": card.method, "kind": of.kind.name, "variant": of.variant, "level": of.level}


def cell_row(card: Card, cell: Cell) -> Row:
    """One method under one corruption.

    `…_mean` is over the pictures, of the signed values where there is a sign, and `…_worst` that of the worst
    picture. `intercept_drift` is predicted over predicted on the untouched picture, `intercept_error`
    predicted over label, each less 1. `lost_share` is the share of the labelled line in places of one grey
    level; where it exceeds a half, `holds_information` is false. `lost_drift` is that of the label itself
    without the boundaries that are lost for more than half of their length. `doubt` tells without the label
    whether to trust the prediction; its rank correlations with the errors of all pictures and corruptions of
    the method stand in the row of the untouched pictures.
    """
    of = cell.corruption
    check = card.doubt_check if of is None else None
    row: Row = {
        **cell_key(card, cell),
        "amount": None if of is None else of.amount,
        "seen_in_training": None if of is None else card.seen[of.kind.name].answer,
        "images": len(cell.scores),
        **_spread("lost_share", cell.lost_share),
        "holds_information": cell.holds_information,
        **_spread("lost_drift", cell.lost_drift),
        **_spread("iou", cell.iou),
        "iou_share_of_clean": cell.iou_share,
        **_spread("boundary_f1", cell.boundary_f1),
        **_spread("grain_count_error", cell.count_error),
        **_spread("intercept_drift", cell.drift),
        **_spread("intercept_error", cell.intercept_error),
        **_spread("doubt", cell.doubt),
        "doubt_rank_correlation_iou_lost": None if check is None else check.rank_iou,
        "doubt_rank_correlation_boundary_f1_lost": None if check is None else check.rank_f1,
        "doubt_rank_correlation_grain_count_error": None if check is None else check.rank_count,
    }
    return row


def _spread(name: str, spread: Spread) -> dict[str, Value]:
    return {f"{name}_mean": spread.mean, f"{name}_worst": spread.worst}


def _image_rows(card: Card, cell: Cell, roles: Mapping[str, str]) -> Iterator[Row]:
    for scores, clean in zip(cell.scores, card.clean.scores, strict=True):
        yield {
            **cell_key(card, cell),
            "amount": None if cell.corruption is None else cell.corruption.amount,
            "image": scores.image,
            "role": roles[scores.image],
            "lost_share": scores.lost_share,
            "iou": scores.iou,
            "boundary_f1": scores.boundary_f1,
            "signed_grain_count_error": scores.signed_count_error,
            "mean_intercept_px": scores.intercept_px,
            "label_mean_intercept_px": scores.label_intercept_px,
            "intercept_drift": scores.drift(clean),
            "lost_drift": scores.lost_drift,
            "intercept_error": scores.intercept_error,
            "doubt": scores.doubt,
        }
