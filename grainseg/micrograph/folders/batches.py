"""Assign micrographs to batches of material and their specimens, by folder or by a table of images."""

import csv
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.text_tables import parse_table
from grainseg.micrograph.names import natural_key, plain_name

log = logging.getLogger(__name__)

IMAGE_COLUMN = "image"
BATCH_COLUMN = "batch"
SPECIMEN_COLUMN = "specimen"
_COLUMNS = (IMAGE_COLUMN, BATCH_COLUMN, SPECIMEN_COLUMN)


@dataclass(frozen=True)
class Origin:
    """Batch and specimen on which a micrograph was taken.

    Attributes:
        batch: Name of the batch of material.
        specimen: Name of the specimen of the batch; empty if not given.
    """

    batch: str
    specimen: str = ""


def assign_batches(images: Sequence[Path], root_name: str, table: Path | None) -> dict[Path, Origin]:
    """Name the batch of each image, and its specimen if a table gives it.

    Args:
        images: Paths relative to the folder that the selection starts from.
        root_name: Name of the batch of the images that lie in that folder itself.
        table: CSV file with the columns ``image`` and ``batch``, and perhaps ``specimen``; None makes a batch
            of each folder. An image is named by its relative path, with or without its suffix, or by its file
            name if only one image has it. Rows of other images are skipped, with a warning.

    Returns:
        Batch and specimen of each image. Batches are in the order in which the table first names one of these
        images; folders are sorted by name, with numbers by their value.

    Raises:
        GrainsegError: Two folders have the same name; or the table cannot be read, lacks a column, names an
            image twice, uses a name that fits several images, leaves an image out, or names the specimens of
            only some images of a batch.
    """
    if table is None:
        named = {image: folder_batch(image, root_name) for image in images}
        folders = {image.parent for image, name in named.items() if name == root_name}
        if len(folders) > 1:
            raise GrainsegError(
                f"{root_name}: holds images, and a folder {root_name!r} with more: two batches of one name; "
                "rename the inner one, or name the batches in a table (batches=TABLE.csv)"
            )
        in_order = sorted(named.items(), key=lambda item: natural_key(item[1]))
        return {image: Origin(name) for image, name in in_order}
    listed = _read_table(table)
    known = _names(images)
    origins: dict[Path, Origin] = {}
    elsewhere = []
    for name, origin in listed.items():
        # A corrected map of a.png may be called a.tif, and still belongs to that image.
        meant = known.get(name) or known.get(Path(name).with_suffix("").as_posix(), set())
        if len(meant) > 1:
            both = " and ".join(sorted(path.as_posix() for path in meant)[:2])
            raise GrainsegError(
                f"batches={table}: {name!r} could be {both}; give the path relative to the images"
            )
        if not meant:
            elsewhere.append(name)
        for image in meant:
            if image in origins:
                raise GrainsegError(
                    f"batches={table}: names {image.as_posix()!r} twice; keep one row per image"
                )
            origins[image] = origin
    missing = [image for image in images if image not in origins]
    if missing:
        raise GrainsegError(
            f"batches={table}: has no row for {missing[0].as_posix()!r}; add one, with its batch"
        )
    if elsewhere:
        count, first = len(elsewhere), elsewhere[0]
        log.warning("batches=%s: %d of its rows name no image here, %r first", table, count, first)
    _require_specimens(table, origins)
    return origins


def _require_specimens(table: Path, origins: Mapping[Path, Origin]) -> None:
    """Refuse batches in which only some images have a specimen.

    The others could belong to any specimen, so that the scatter of the specimens would be unknown.
    """
    named = {origin.batch for origin in origins.values() if origin.specimen}
    for image, origin in origins.items():
        if origin.batch in named and not origin.specimen:
            raise GrainsegError(
                f"batches={table}: has no specimen for {image.as_posix()!r}, but for others of batch "
                f"{origin.batch!r}; name it for each image of the batch or for none"
            )


def folder_batch(image: Path, root_name: str) -> str:
    """Name of the batch of an image, from its folder."""
    parent = image.parent.as_posix()
    return root_name if parent == "." else parent


def _names(images: Sequence[Path]) -> dict[str, set[Path]]:
    """Map every name that may stand for an image to the images that it may stand for."""
    names: dict[str, set[Path]] = {}
    for image in images:
        for name in {
            image.as_posix(),
            image.with_suffix("").as_posix(),
            image.name,
            image.stem,
        }:
            names.setdefault(plain_name(name), set()).add(image)
    # A full path means exactly that image, even if another one deeper down has the same name.
    exact = {plain_name(image.with_suffix("").as_posix()): {image} for image in images}
    return names | exact | {plain_name(image.as_posix()): {image} for image in images}


def _read_table(path: Path) -> dict[str, Origin]:
    try:
        table = parse_table(path.read_text(encoding="utf-8-sig"), _COLUMNS)
        table.refuse_faults()
    except UnicodeDecodeError as error:
        raise GrainsegError(f"batches={path}: is not encoded in UTF-8; save it as CSV UTF-8") from error
    except (OSError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise GrainsegError(f"batches={path}: cannot be read ({reason}); give a CSV file") from error
    for column in (IMAGE_COLUMN, BATCH_COLUMN):
        if column not in table.columns:
            raise GrainsegError(
                f"batches={path}: has no column {column!r}; it needs {IMAGE_COLUMN} and {BATCH_COLUMN}"
            )
    listed: dict[str, Origin] = {}
    for line, row in table.rows:
        name, batch = plain_name(row[IMAGE_COLUMN]).replace("\\", "/"), row[BATCH_COLUMN]
        if not name or not batch:
            raise GrainsegError(f"batches={path}: line {line} lacks its image or its batch")
        if name in listed:
            raise GrainsegError(f"batches={path}: names {name!r} twice; keep one row per image")
        listed[name] = Origin(batch, row.get(SPECIMEN_COLUMN, ""))
    return listed
