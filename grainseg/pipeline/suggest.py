"""Suggest what to label next: rank unlabelled pictures by the disagreement of networks or views."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from grainseg.config import SuggestConfig
from grainseg.config.checks import SYMMETRIES
from grainseg.data.images import network_unit, require_side
from grainseg.errors import GrainsegError
from grainseg.grains.measuring.left_out import LeftOut
from grainseg.grains.trust.suggestion import (
    Region,
    boundary_band,
    disagreement,
    rank_images,
    rank_regions,
    regions_of,
)
from grainseg.inference.device import choose_device
from grainseg.inference.ensemble import predict_members
from grainseg.inference.predictor import named_if_diverged, predict_probability, tile_settings
from grainseg.inference.scale import on_grid
from grainseg.micrograph.crop import Crop, crop_setting
from grainseg.micrograph.files import read_micrograph, write_png
from grainseg.micrograph.folders.selection import SelectedImage, list_images
from grainseg.micrograph.image import Micrograph
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.ensemble import load_networks
from grainseg.model.generic import default_checkpoint
from grainseg.pipeline.pictures.failures import SKIPPED, log_failure, log_unlisted
from grainseg.pipeline.pictures.picture import OpenedPicture, make_output
from grainseg.pipeline.pictures.progress import progress
from grainseg.pipeline.pictures.scaling import Scaling, default_scaling, scale_of_picture
from grainseg.pipeline.results.earlier_run import SHEET, require_replaceable_suggestions
from grainseg.report.files.tables import RANKED, REGIONS, write_csv
from grainseg.report.pictures.overlay import to_display
from grainseg.report.pictures.suggestion_sheet import SheetPicture, small_picture, suggestion_sheet


@dataclass(frozen=True)
class Suggestions:
    """Images and regions in the order in which to label them, and the folder of the files.

    Attributes:
        images: Names and scores; the image to label first comes first.
        regions: Regions in the order in which to label them; rows and columns are those of the files.
        source: Whose disagreement ranks them, in words.
        folder: Folder of the files.
        failures: One line for each picture that failed, and each folder that could not be listed.
        warned: Names of suggested images that may be useless; the warnings have been logged.
    """

    images: tuple[tuple[str, float], ...]
    regions: tuple[Region, ...]
    source: str
    folder: Path
    failures: tuple[str, ...]
    warned: tuple[str, ...]

    def summary(self) -> str:
        """Return the closing lines: what to label first and how, and the paths of the files."""
        (image, score), first = self.images[0], self.regions[0]
        rows = f"rows {first.row} to {first.row + first.height - 1}"
        columns = f"columns {first.column} to {first.column + first.width - 1}"
        warned = f" (and see the warnings above: {', '.join(self.warned)})" if self.warned else ""
        return "\n".join(
            (
                f"ranked by {self.source}",
                f"most doubtful image: {image} (disagreement {score:.3f} of {len(self.images)} images)",
                f"label first: {first.image}, {rows}, {columns} (disagreement {first.score:.3f}); give the "
                "rest of its mask a value of its own, as 128, and train with data.ignore_value=128 "
                "(docs/labels.md)",
                f"look first whether it shows metal at all: what shows none is doubtful, too{warned}",
                f"regions:  {self.folder / REGIONS}",
                f"images:   {self.folder / RANKED}",
                f"pictures: {self.folder / SHEET}",
            )
        )


def suggest(config: SuggestConfig) -> Suggestions:
    """Rank pictures and their regions by how much a network would learn from their labels.

    A picture that fails is skipped and reported; the others are processed.

    Args:
        config: The ranking.

    Raises:
        GrainsegError: Nothing can be ranked at all (no checkpoint, or no picture that can be read), or the
            suggestions would overwrite files that grainseg did not write.
    """
    checkpoint = default_checkpoint() if config.checkpoint is None else Path(config.checkpoint)
    output = Path(config.output)
    require_replaceable_suggestions(output)
    selection = list_images(config.images, output)
    spec, networks = load_networks(checkpoint)
    for network in networks:
        network.to(choose_device(config.accelerator, "accelerator"))
    make_output(config.output)
    scores: dict[str, float] = {}
    regions: list[Region] = []
    files: dict[str, SelectedImage] = {}
    crops: dict[str, Crop] = {}
    warned: set[str] = set()
    ranking = _Ranking(spec, networks, default_scaling(spec, checkpoint, config.max_megapixels))
    failures = log_unlisted(selection)
    for image in progress(selection.images, "predicting"):
        name = image.relative.as_posix()
        try:
            picture = _read(config, image)
            with named_if_diverged(image.path, checkpoint):
                look = _look_at(config, ranking, image, picture)
        except SKIPPED as error:
            failures.append(log_failure(image.path, error))
            continue
        scores[name] = look.score
        regions += look.regions
        warned |= {name} if look.warnings else set()
        files[name], crops[name] = image, picture.crop
    if not scores:
        raise GrainsegError(f"images={config.images}: none of the pictures can be read, see above")
    chosen = rank_regions(regions, config.count)
    ranked = rank_images(scores)
    in_files = tuple(_in_file(region, crops[region.image]) for region in chosen)
    sheet = suggestion_sheet(_sheet_pictures(config, chosen, files))
    _write_tables(output, ranked, in_files)
    write_png(output / SHEET, sheet)  # after the tables: without them, it would be taken for a micrograph
    source = (
        f"the disagreement of the checkpoint's {len(networks)} networks"
        if len(networks) > 1
        else "the disagreement of one network's views of each picture, turned and flipped"
    )
    suggested = dict.fromkeys((ranked[0][0], *(region.image for region in chosen)))
    suggested_warned = tuple(name for name in suggested if name in warned)
    return Suggestions(tuple(ranked), in_files, source, output, tuple(failures), suggested_warned)


@dataclass(frozen=True)
class _Ranking:
    """The networks whose disagreement ranks the pictures, and how pictures are scaled for them."""

    spec: CheckpointSpec
    networks: Sequence[nn.Module]
    scaling: Scaling


@dataclass(frozen=True)
class _Look:
    """Score of a picture, its regions in px of the cropped picture, and warnings that it may be useless."""

    score: float
    regions: list[Region]
    warnings: tuple[str, ...]


def _read(config: SuggestConfig, image: SelectedImage) -> Micrograph:
    picture = read_micrograph(image.path, config.max_megapixels, None, crop_setting(config.crop))
    require_side(picture, image.path, "crop", "training would refuse it, take it out of the folder")
    return picture


def _look_at(config: SuggestConfig, ranking: _Ranking, image: SelectedImage, picture: Micrograph) -> _Look:
    spec, networks = ranking.spec, ranking.networks
    # The file's own warnings concern its pixel size, which is not needed here.
    opened = OpenedPicture(image, replace(picture, warnings=()), LeftOut())
    unit = network_unit(picture.pixels, spec.in_channels)
    tiles = tile_settings(spec)
    first = functools.partial(predict_probability, networks[0], tiles=replace(tiles, views=1))
    scaled = scale_of_picture(ranking.scaling, opened.with_picture_warnings(unit), unit, first)
    views = SYMMETRIES["none"] if len(networks) > 1 else SYMMETRIES["d4"]
    forecast = predict_members(networks, scaled.unit, replace(tiles, views=views))
    assert forecast.spread is not None  # there are several networks or views
    # On the network's grid: on the picture's, the band around enlarged lines would be narrower.
    band = boundary_band(forecast.probability, spec.threshold)
    on_picture = on_grid(band.astype(np.float32), picture.shape) > 0.5
    spread = on_grid(forecast.spread, picture.shape)
    regions = regions_of(image.relative.as_posix(), spread, on_picture, config.window_px)
    return _Look(disagreement(forecast.spread, band), regions, scaled.opened.warnings)


def _in_file(region: Region, crop: Crop) -> Region:
    """Return the region in rows and columns of the uncropped file, on which a mask is drawn."""
    return replace(region, row=region.row + crop.top, column=region.column + crop.left)


def _sheet_pictures(
    config: SuggestConfig, chosen: Sequence[Region], files: dict[str, SelectedImage]
) -> list[SheetPicture]:
    pictures = []
    for name in dict.fromkeys(region.image for region in chosen):
        small, zoom = small_picture(to_display(_read(config, files[name]).pixels))
        ranks = tuple((rank, region) for rank, region in enumerate(chosen, 1) if region.image == name)
        pictures.append(SheetPicture(name, small, zoom, ranks))
    return pictures


def _write_tables(output: Path, images: Sequence[tuple[str, float]], regions: Sequence[Region]) -> None:
    write_csv(output / REGIONS, ({"rank": rank, **vars(region)} for rank, region in enumerate(regions, 1)))
    write_csv(
        output / RANKED,
        ({"rank": rank, "image": name, "score": score} for rank, (name, score) in enumerate(images, 1)),
    )
