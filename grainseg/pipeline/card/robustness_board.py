"""Write the robustness card to TensorBoard: a curve over the levels of each corruption, and the plot."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from grainseg.grains.trust.robustness import Card, Cell
from grainseg.micrograph.corruptions import LEVELS
from grainseg.training.run_folder import remove_events


def write_board(folder: Path, cards: Sequence[Card], png: bytes) -> None:
    """Write a TensorBoard run per method, ``robustness_<method>``, in place of that of an earlier card.

    Step 0 is the untouched picture; steps 1 to 3 are the low, middle and high level. A corruption with a
    single strength is at step 3.

    Args:
        folder: Folder of the runs; missing folders are made.
        cards: One per method.
        png: The plot, written to the run of the first method.
    """
    for number, card in enumerate(cards):
        run = folder / f"robustness_{card.method}"
        remove_events(run)
        with SummaryWriter(str(run)) as writer:
            for name in dict.fromkeys(map(_curve_name, card.cells)):
                _write_cell(writer, name, 0, card.clean)
            for cell in card.cells:
                _write_cell(writer, _curve_name(cell), _step(cell), cell)
            writer.add_scalar("robustness/mean_share_of_clean_iou", card.mean_share, 0)
            writer.add_scalar("robustness/worst_share_of_clean_iou", card.worst_share.iou_share, 0)
            writer.add_scalar("robustness/worst_light_drift", card.worst_light.drift.mean, 0)
            if number == 0:
                with Image.open(io.BytesIO(png)) as plot:
                    picture = np.asarray(plot.convert("RGB"))
                writer.add_image("robustness/card", picture, 0, dataformats="HWC")


def _curve_name(cell: Cell) -> str:
    of = cell.corruption
    assert of is not None
    return f"{of.kind.name}_{of.variant}" if of.variant else of.kind.name


def _step(cell: Cell) -> int:
    of = cell.corruption
    return LEVELS.index(of.level) + 1 if of is not None and of.level in LEVELS else len(LEVELS)


def _write_cell(writer: SummaryWriter, name: str, step: int, cell: Cell) -> None:
    for metric, value in (
        ("iou", cell.iou.mean),
        ("boundary_f1", cell.boundary_f1.mean),
        ("grain_count_error", cell.count_error.mean),
        ("intercept_drift", cell.drift.mean),
        ("intercept_error", cell.intercept_error.mean),
    ):
        writer.add_scalar(f"{metric}/{name}", value, step)
