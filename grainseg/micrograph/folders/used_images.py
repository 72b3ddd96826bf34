"""Which images a training used: its checkpoint keeps them, since the data folder may change later."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import file_sha256
from grainseg.micrograph.folders.folder import LabelledImage

_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_NAMED = 4
"""So many differences are named, and the others counted."""
_DID = {"train": "trained", "val": "validated", "test": "tested"}
_WOULD = {"train": "would train", "val": "would validate", "test": "would test"}


@dataclass(frozen=True)
class UsedImages:
    """The images of a training by their names, each with the SHA-256 of its file in hexadecimal digits.

    Attributes:
        train: Those that trained the network.
        val: Those that chose the checkpoint.
        test: Those that did neither.
    """

    train: Mapping[str, str]
    val: Mapping[str, str]
    test: Mapping[str, str]

    @property
    def parts(self) -> dict[str, Mapping[str, str]]:
        """The three, by the names of the attributes."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


NO_IMAGES = UsedImages({}, {}, {})
"""A training on drawn pictures alone."""


def used_images(
    items: Mapping[str, LabelledImage], split: tuple[Sequence[str], Sequence[str], Sequence[str]]
) -> UsedImages:
    """The record of a training on a folder.

    Args:
        items: The labelled images by their names.
        split: Names for training, validation and test, as `split_with_test` gives them.

    Raises:
        GrainsegError: An image cannot be read.
    """
    return UsedImages(*({stem: _sha256(items[stem].image) for stem in part} for part in split))


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise GrainsegError(f"{path}: cannot be read ({error.strerror}); make it readable") from error


def read_used_images(values: Mapping[str, object]) -> UsedImages:
    """Check plain values from a file that may be a stranger's.

    Raises:
        ValueError: They are not those that `dataclasses.asdict` makes of a record.
    """
    parts = {}
    for name, part in values.items():
        if not isinstance(part, dict) or not all(
            isinstance(stem, str) and isinstance(digest, str) and _SHA256.fullmatch(digest)
            for stem, digest in part.items()
        ):
            raise ValueError("images are no names with checksums")
        parts[name] = part
    if parts.keys() != _DID.keys():
        raise ValueError("images are no three parts for training, validation and test")
    return UsedImages(**parts)


def used_by_all(records: Iterable[UsedImages | None]) -> UsedImages | None:
    """The record of networks that became one, where each image but those of the test trained all but one.

    Args:
        records: Of each network, at least one, all with the same images; None where it has none.

    Returns:
        All images as training images but those of the test; None where a network has no record.
    """
    known = []
    for record in records:
        if record is None:
            return None
        known.append(record)
    train = {stem: digest for each in known for stem, digest in (*each.train.items(), *each.val.items())}
    return UsedImages(train, {}, known[0].test)


def changes(before: UsedImages, now: UsedImages) -> str:
    """What would differ if a training went on with other images, in words; empty where nothing would.

    Args:
        before: The images that it had.
        now: Those that it would have.
    """
    was, would = (
        {stem: (part, digest) for part, images in record.parts.items() for stem, digest in images.items()}
        for record in (before, now)
    )
    told = []
    for stem in sorted(was.keys() | would.keys()):
        (old, old_digest), (new, new_digest) = was.get(stem, ("", "")), would.get(stem, ("", ""))
        if not old:
            told.append(f"{stem!r} is new and {_WOULD[new]}")
        elif not new:
            told.append(f"{stem!r} {_DID[old]} and is gone")
        elif old != new:
            told.append(f"{stem!r} {_DID[old]} and {_WOULD[new]}")
        elif old_digest != new_digest:
            told.append(f"{stem!r} {_DID[old]} and is another file now")
    more = [f"{len(told) - _MOST_NAMED} more"] if len(told) > _MOST_NAMED else []
    return ", ".join(told[:_MOST_NAMED] + more)
