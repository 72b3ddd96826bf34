"""Write labelled sets as data folders with independent splits, for ``benchmarks/architectures.py``.

    python benchmarks/real_sets.py SOURCE OUTPUT

``SOURCE/iron`` holds ``images/`` and ``masks/`` of five consecutive sections, which resemble each other: the
left halves of 1-4 train, the left half of 5 validates, the right halves of 4 and 5 test, and those of 1-3 are
used to choose the recipe. ``SOURCE/tbm`` holds crops of three micrographs: four crops of m21 train, a fifth
validates, and the rest and the other micrographs test. ``synthetic`` holds the embedded default set, and five
test fields of another seed.
"""

import argparse
import shutil
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from grainseg.micrograph.plain.synthetic_folder import ensure_synthetic_folder

IRON_COLUMNS = 400


def iron(source: Path, output: Path) -> None:
    for kind in ("images", "masks"):
        (output / kind).mkdir(parents=True, exist_ok=True)
        for path in sorted((source / kind).glob("*.png")):
            with Image.open(path) as picture:
                width, height = picture.size
                left = picture.crop((0, 0, IRON_COLUMNS, height))
                right = picture.crop((IRON_COLUMNS, 0, width, height))
                left.save(output / kind / f"{path.stem}_left.png")
                right.save(output / kind / f"{path.stem}_right.png")


def tbm(source: Path, output: Path) -> None:
    for kind in ("images", "masks"):
        (output / kind).mkdir(parents=True, exist_ok=True)
        for path in sorted((source / kind).glob("*.png")):
            shutil.copyfile(path, output / kind / path.name)


def view(source: Path, target: Path, stems: Collection[str]) -> Path:
    """A data folder with links to some of the pictures of another data folder."""
    for kind in ("images", "masks"):
        (target / kind).mkdir(parents=True, exist_ok=True)
        for path in (source / kind).iterdir():
            link = target / kind / path.name
            if path.stem in stems and not link.exists():
                link.symlink_to(path.resolve())
    return target


def without(source: Path, left_out: str) -> set[str]:
    """Names of a data folder's pictures except those in ``left_out``, which is separated by commas."""
    return {path.stem for path in (source / "images").iterdir()} - set(left_out.split(","))


def synthetic(output: Path) -> None:
    for prefix, seed in (("field", 0), ("test", 1)):
        made = ensure_synthetic_folder(output.parent / f"synthetic_seed_{seed}", seed)
        for kind in ("images", "masks"):
            (output / kind).mkdir(parents=True, exist_ok=True)
            for path in sorted((made / kind).glob("*.png")):
                shutil.copyfile(path, output / kind / path.name.replace("field", prefix))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    iron(arguments.source / "iron", arguments.output / "iron")
    tbm(arguments.source / "tbm", arguments.output / "tbm")
    synthetic(arguments.output / "synthetic")
