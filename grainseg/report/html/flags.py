"""The flags of a whole report: each kind once, the gravest first, with the images and batches it concerns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from grainseg.grains.trust.doubt import DO_NOT_TRUST
from grainseg.report.html.contents import Report

_NUMBER = re.compile(r"(?<![\w.,=\[/−-])−?\d+(?:\.\d+)?(?![\w/]|[.,]\w)")
"""A number that stands alone: not part of a name, of a setting or of a range."""


@dataclass(frozen=True)
class Place:
    """An image or a batch that has flags, and its anchor on the page."""

    name: str
    link: str


@dataclass
class _Kind:
    """Flags that differ only in their numbers."""

    flags: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def sentence(self) -> str:
        """The flag; a number that differs is replaced by the range of its values."""
        numbers = zip(*(_NUMBER.findall(flag) for flag in self.flags), strict=True)
        ranges = iter([_range(set(values)) for values in numbers])
        return _NUMBER.sub(lambda _: next(ranges), self.flags[0])


def flagged(report: Report) -> dict[str, list[Place]]:
    """All flags, each kind once.

    Returns:
        By sentence, the images and batches that have the flag; an empty list if it concerns the whole
        report. Flags of the whole report come first, then those that make boundaries untrustworthy, then the
        other flags of images, of batches and of the structure.
    """
    named = _names_with_numbers(report)
    kinds: dict[str, _Kind] = {}
    for flag, place in _all(report):
        # Flags of the whole report may name files that failed. These names are not in `named`, so the flags
        # are kept as they are.
        alone = place is None or any(name in flag for name in named)
        kind = kinds.setdefault(flag if alone else _NUMBER.sub("\0", flag), _Kind())
        kind.flags.append(flag)
        kind.places += [] if place is None else [place]
    return {kind.sentence(): list(dict.fromkeys(kind.places)) for kind in kinds.values()}


def _all(report: Report) -> Iterator[tuple[str, Place | None]]:
    yield from ((flag, None) for flag in report.flags)
    images = [
        (flag, Place(image.field.image, f"#image-{index}"))
        for index, image in enumerate(report.images)
        for flag in image.field.flags
    ]
    # Untrustworthy boundaries come first: other flags matter only once this one is settled.
    yield from sorted(images, key=lambda each: not each[0].startswith(DO_NOT_TRUST))
    for index, batch in enumerate(report.batches):
        place = Place(f"batch {batch.statistics.name}", f"#batch-{index}")
        yield from ((flag, place) for flag in batch.statistics.flags)
    yield from ((flag, None) for flag in report.structure.flags)


def _names_with_numbers(report: Report) -> list[str]:
    """Names of images and batches of which a part could be taken for a number that differs between flags."""
    images = {image.field.image for image in report.images}
    batches = {batch.statistics.name for batch in report.batches}
    return [name for name in images | batches if _NUMBER.search(name)]


def _range(values: set[str]) -> str:
    low, high = (end(values, key=lambda text: float(text.replace("−", "-"))) for end in (min, max))
    return low if low == high else f"{low} to {high}"
