"""The robustness card as CSV: robustness.csv, and robustness_images.csv with the figures of each picture.

Shares and relative errors are fractions: 0.05 is 5 %. See `tables` for the format of the files.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grainseg.grains.trust.robustness import Card, Cell, Spread
from grainseg.report.files.batch_rows import Row, Value
from grainseg.report.files.tables import write_csv

CLEAN = "clean"
"""Value of the column `kind` in the rows of the untouched pictures."""


def write_cells(path: Path, cards: Sequence[Card]) -> None:
    """Write one row per method and corruption, the untouched pictures first; see `cell_row`.

    Raises:
        GrainsegError: The file cannot be written.
    """
    write_csv(path, (cell_row(card, cell) for card in cards for cell in (card.clean, *card.cells)))


def write_images(path: Path, cards: Sequence[Card], roles: Mapping[str, str]) -> None:
    """Write one row per method, corruption and picture.

    Args:
        path: File to write.
        cards: At least one.
        roles: Role of each picture in the network's training, by its name.

    Raises:
        GrainsegError: The file cannot be written.
    """
    rows = [
        row for card in cards for cell in (card.clean, *card.cells) for row in _image_rows(card, cell, roles)
    ]
    write_csv(path, rows)


def cell_key(card: Card, cell: Cell) -> dict[str, str]:
    """The columns that identify the row of a cell in robustness.csv."""
    if cell.corruption is None:
        return {"method": card.method, "kind": CLEAN, "variant": "", "level": ""}
    of = cell.corruption
    return {"method": card.method, "kind": of.kind.name, "variant": of.variant, "level": of.level}


def cell_row(card: Card, cell: Cell) -> Row:
    """The row of one method under one corruption.

    `…_mean` is the mean over the pictures, of signed values where the quantity has a sign, and `…_worst` is
    the value of the worst picture. `intercept_drift` is the predicted mean intercept over that predicted on
    the untouched picture, less 1; `intercept_error` is the predicted over the labelled one, less 1.
    `lost_share` is the share of the labelled line in places of one grey level; if its mean exceeds a half,
    `holds_information` is false. `lost_drift` is the drift of the label itself without the boundaries of
    which more than half is lost. `doubt` says without the label whether to trust the prediction. The rank
    correlations of the doubt with the errors, over all pictures and corruptions of the method, stand in the
    row of the untouched pictures.
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
