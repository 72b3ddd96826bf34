"""Five synthetic micrographs of one specimen as a folder of files, written once.

The folder has the layout of a user's own labelled set: images/field_1.png, with the pixel size in
images/pixel_sizes.csv, masks/field_1.png (255 = boundary), and in addition grains/field_1.tif (16-bit grain
numbers, with the pixel size as ImageJ stores it). synthetic.json records what was written.
"""

import hashlib
import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.selection import SYNTHETIC
from grainseg.micrograph.plain.synthetic import ONE_SPECIMEN, SyntheticMicrograph, generate

GENERATOR_VERSION = 2
"""Incremented when the same seed starts to give another label or a visibly different picture."""

_FIELDS = 5
_SHAPE = (512, 512)


def ensure_synthetic_folder(root: Path, seed: int = 0) -> Path:
    """Ensure that a folder holds the five synthetic micrographs of a seed; fill it if it is absent or empty.

    The files appear all at once, so that several processes may request the same folder. Existing files are
    never changed or deleted.

    Args:
        root: The folder.
        seed: Not negative.

    Returns:
        The same folder, complete.

    Raises:
        GrainsegError: The folder holds anything else (other files, another seed, another version of the
            generator, only some of the files), it cannot be written, or the seed is negative.
    """
    if seed < 0:
        raise GrainsegError(f"synthetic seed = {seed}: give 0 or more")
    if _is_complete(root, seed):
        return root
    staging = root.parent / f".{root.name}-{uuid.uuid4().hex}"
    try:
        staging.mkdir(parents=True)
        _write_folder(staging, seed)
        _move_into_place(staging, root, seed)
    except OSError as error:
        raise GrainsegError(f"{root}: cannot write the synthetic micrographs here: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return root


def _move_into_place(staging: Path, root: Path, seed: int) -> None:
    """Rename the finished folder to its final name, unless another process has just done the same."""
    try:
        staging.rename(root)  # replaces nothing but an empty folder
    except OSError:
        if not _is_complete(root, seed):
            raise


def _is_complete(root: Path, seed: int) -> bool:
    """Return whether the folder is complete; False if it is absent or empty, and may be written.

    Raises:
        GrainsegError: The folder or file of this name is anything else.
    """
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    manifest = _read_manifest(root)
    if manifest is None:
        raise GrainsegError(
            f"{root}: exists and was not written by the synthetic generator; give another folder"
        )
    found = manifest["generator_version"], manifest.get("seed")
    if found != (GENERATOR_VERSION, seed):
        raise GrainsegError(
            f"{root}: holds seed {found[1]} of generator version {found[0]}, not seed {seed} of version "
            f"{GENERATOR_VERSION}; give another folder, or delete this one and run again"
        )
    missing = [
        path for number in range(1, _FIELDS + 1) for path in _files(root, number) if not path.is_file()
    ]
    if missing:
        raise GrainsegError(
            f"{missing[0]}: is missing; delete {root} and run again to have all files written"
        )
    return True


def _read_manifest(root: Path) -> dict[str, Any] | None:
    """Read synthetic.json; None if there is none that this generator wrote."""
    try:
        manifest = json.loads((root / SYNTHETIC).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and "generator_version" in manifest else None


def _files(root: Path, number: int) -> tuple[Path, Path, Path]:
    """Return the paths of picture, mask and grain map of one field; fields count from 1."""
    name = f"field_{number}"
    return root / "images" / f"{name}.png", root / "masks" / f"{name}.png", root / "grains" / f"{name}.tif"


def _write_folder(folder: Path, seed: int) -> None:
    """Generate the fields and write them, the manifest last."""
    for part in _files(folder, 1):
        part.parent.mkdir()
    entries = []
    for number in range(1, _FIELDS + 1):
        # No two folder seeds share a field seed.
        field = generate(seed * _FIELDS + number - 1, _SHAPE)
        _write_field(field, *_files(folder, number))
        entries.append(
            {
                "name": f"field_{number}",
                "grains": int(field.grains.max()),
                "label_sha256": hashlib.sha256(field.label.tobytes()).hexdigest(),
            }
        )
    manifest = {
        "generator_version": GENERATOR_VERSION,
        "seed": seed,
        "pixel_size_um": ONE_SPECIMEN.pixel_size_um,
        "line_width_px": ONE_SPECIMEN.line_width_px,
        "images": entries,
    }
    names = [f"field_{number}.png" for number in range(1, _FIELDS + 1)]
    table = ["image,pixel_size_um", *(f"{name},{ONE_SPECIMEN.pixel_size_um:g}" for name in names)]
    (folder / "images" / "pixel_sizes.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    (folder / SYNTHETIC).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _write_field(field: SyntheticMicrograph, picture: Path, mask: Path, grain_map: Path) -> None:
    """Write picture and mask as 8-bit PNG, and the grain numbers as 16-bit TIFF with the pixel size."""
    Image.fromarray(np.rint(field.pixels * 255).astype(np.uint8)).save(picture)
    Image.fromarray(field.label * np.uint8(255)).save(mask)
    pixels_per_um = 1 / field.pixel_size_um
    tifffile.imwrite(
        grain_map,
        field.grains.astype(np.uint16),
        imagej=True,
        resolution=(pixels_per_um, pixels_per_um),
        metadata={"unit": "um"},
    )
