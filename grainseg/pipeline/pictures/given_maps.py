"""Choose the maps that are measured among the files of a selection, and name them after their pictures."""

import logging
from pathlib import Path

from grainseg.config import MeasureConfig
from grainseg.errors import GrainsegError
from grainseg.grains.wording import counted
from grainseg.micrograph.folders.selection import (
    OUTPUT_ENDS,
    SelectedImage,
    Selection,
    is_output,
    predicted_stem,
    refuse_collisions,
)
from grainseg.micrograph.names import is_file
from grainseg.report.files.prediction_files import GRAINS_SUFFIX
from grainseg.report.files.tables import FIELDS, is_table

log = logging.getLogger(__name__)

_MASK, _GRAINS = OUTPUT_ENDS["mask"], OUTPUT_ENDS["grains"]


def maps_to_measure(config: MeasureConfig, selection: Selection) -> list[SelectedImage]:
    """Return the maps of the requested kind, without other files that grainseg wrote.

    The maps of a prediction get the names of their pictures: ``a_mask.png`` and ``a_grains.tif`` belong to
    ``a``.

    Args:
        config: The measurement.
        selection: The files that ``config.masks`` stands for.

    Raises:
        GrainsegError: There are only files of grainseg that are no maps of this kind, or two maps belong to
            pictures of the same name.
    """
    chosen = _grain_maps if config.kind == "grains" else _boundary_masks
    maps = chosen(config.masks, selection.images)
    refuse_collisions(maps)
    return maps


def is_of_prediction(path: Path) -> bool:
    """Whether a map is that of a picture which may have been cropped before, by its name."""
    return path.stem.endswith(GRAINS_SUFFIX) or predicted_stem(path) is not None


def _boundary_masks(masks: str, found: list[SelectedImage]) -> list[SelectedImage]:
    """Return the boundary masks, and report that those of predictions are partitioned again."""
    taken = [item for item in found if item.path.name.endswith(_MASK) or not is_output(item.path)]
    if not taken:
        raise GrainsegError(
            f"masks={masks}: holds no boundary masks, only other files of grainseg; measure grain maps "
            "(*_grains.tif) with kind=grains"
        )
    stems = [predicted_stem(item.path) for item in taken]
    again = sum(stem is not None for stem in stems)
    if again:
        log.warning(
            "masks=%s: the masks of %s are partitioned again, without the probability, so their grains may "
            "differ a little from those of the prediction; kind=grains measures the prediction's own grains",
            masks, counted(again, "prediction"),
        )  # fmt: skip
    return [item if stem is None else _named(item, stem) for item, stem in zip(taken, stems, strict=True)]


def _grain_maps(masks: str, found: list[SelectedImage]) -> list[SelectedImage]:
    """Return the files that end as grain maps of grainseg; if there are none, the files of other programs.

    Maps that an earlier measurement wrote into a subfolder are copies of maps that are measured themselves.
    """
    ours = [item for item in found if item.path.stem.endswith(GRAINS_SUFFIX)]
    copies = [item for item in ours if _is_copy(item)]
    others = [item for item in found if not is_output(item.path)]
    maps = [item for item in ours if item not in copies] or others or copies
    if not maps:
        raise GrainsegError(
            f"masks={masks}: holds no grain maps (*_grains.tif), only other files of grainseg; measure the "
            "masks with kind=boundary"
        )
    if copies and maps is not copies:
        log.warning("masks=%s: %s of earlier measurements left out", masks, counted(len(copies), "grain map"))
    return [_named(item, item.path.stem.removesuffix(GRAINS_SUFFIX)) for item in maps]


def _is_copy(item: SelectedImage) -> bool:
    """Whether `grainseg measure` wrote a map into a folder below the selected one."""
    path = item.path
    if not (path.name.endswith(_GRAINS) and is_output(path)):
        return False
    if is_file(path.with_name(path.name.removesuffix(_GRAINS) + _MASK)):
        return False  # the map of a prediction
    below = path.parents[: len(item.relative.parts) - 1]
    return any(is_table(folder / FIELDS) for folder in below)


def _named(item: SelectedImage, stem: str) -> SelectedImage:
    return SelectedImage(item.path, item.relative.with_stem(stem))
