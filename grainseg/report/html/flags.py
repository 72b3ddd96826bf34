"""The flags of a whole report: each kind once, the gravest first, with all that it is about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from grainseg.grains.trust.doubt import DO_NOT_TRUST
from grainseg.report.html.contents import Report

_NUMBER = re.compile(r"(?<![\w.,=\[/−-])−?\d+(?:\.\d+)?(?![\w/]|[.,]\w)")
"""One that stands alone: no part of a name, of a setting or of a range."""


@dataclass(frozen=True)
class Place:
    """Something that has flags, and where it stands on the page."""

    name: str
    link: str


@dataclass
class _Kind:
    """Flags that differ in their numbers alone."""

    flags: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def sentence(self) -> str:
        """The flag, each number that differs as the range of its values."""
        numbers = zip(*(_NUMBER.findall(flag) for flag in self.flags), strict=True)
        ranges = iter([_range(set(values)) for values in numbers])
        return _NUMBER.sub(lambda _: next(ranges), self.flags[0])


def flagged(report: Report) -> dict[str, list[Place]]:
    """All flags, each kind once.

    Returns:
        By sentence what it is about; nothing for what concerns the whole. What is said of the whole comes
        first, then what makes boundaries untrustworthy, then the images', the batches' and the structure's.
    """
    named = _names_with_numbers(report)
    kinds: dict[str, _Kind] = {}
    for flag, place in _all(report):
        # What is said of the whole names files that failed, whose names nobody knows here.
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
    # Nothing else matters before that is settled.
    yield from sorted(images, key=lambda each: not each[0].startswith(DO_NOT_TRUST))
    for index, batch in enumerate(report.batches):
        place = Place(f"batch {batch.statistics.name}", f"#batch-{index}")
        yield from ((flag, place) for flag in batch.statistics.flags)
    yield from ((flag, None) for flag in report.structure.flags)


def _names_with_numbers(report: Report) -> list[str]:
    """Names of which a part could be taken for a number that flags differ in."""
    images = {image.field.image for image in report.images}
    batches = {batch.statistics.name for batch in report.batches}
    return [name for name in images | batches if _NUMBER.search(name)]


def _range(values: set[str]) -> str:
    low, high = (end(values, key=lambda text: float(text.replace("−", "-"))) for end in (min, max))
    return low if low == high else f"{low} to {high}"
