"""Flags of a report: one line for a kind, whatever its numbers, and the gravest first."""

from dataclasses import replace

import pytest
from report_example import report

from grainseg.grains.trust.doubt import Doubt
from grainseg.report.html.contents import Report
from grainseg.report.html.flags import flagged


def with_flags(names: list[str], *flags: str) -> Report:
    """One flag on each of the images; no other flags of images."""
    made = report({"900": names[: len(names) // 2], "B": names[len(names) // 2 :]})
    told = [
        replace(each, field=replace(each.field, flags=(flag,)))
        for each, flag in zip(made.images, flags, strict=True)
    ]
    return replace(made, images=tuple(told))


def places(of: Report) -> dict[str, list[str]]:
    return {sentence: [place.name for place in found] for sentence, found in flagged(of).items()}


def test_flags_that_differ_in_numbers_alone_are_one_with_their_range() -> None:
    doubts = [Doubt(score, f"{share} % are uncertain").flag for score, share in ((0.52, 75), (0.61, 81))]
    assert all(doubts)
    few = [f"the test circles cross {count} boundaries: ISO 643 asks for 50" for count in (45, 9)]
    found = places(with_flags(["a1", "a2", "b1", "b2"], few[0], str(doubts[0]), str(doubts[1]), few[1]))
    first, second = list(found)[:2]  # the doubt goes before what was said of the first image
    assert "75 to 81 % are uncertain (doubt 0.52 to 0.61; a flag above " in first
    assert found[first] == ["a2", "b1"]
    assert second == "the test circles cross 9 to 45 boundaries: ISO 643 asks for 50"
    assert found[second] == ["a1", "b2"]
    assert next(name for name in found if name.startswith("2 fields: below 5")) not in (first, second)
    assert list(found)[-1].startswith("twin boundaries count")


@pytest.mark.parametrize(
    "flags",
    [
        ("has the very grains of n 1 x: remove one", "has the very grains of n 2 x: remove one"),
        ("has the very grains of a1.png: remove one", "has the very grains of a2.png: remove one"),
        ("not compared with 900: no size", "not compared with 950: no size"),
        ("cut it with crop=[0,58,0,0]", "cut it with crop=[0,60,0,0]"),
        ("darker than the training images", "brighter than the training images"),
    ],
)
def test_names_and_settings_are_no_numbers(flags: tuple[str, str]) -> None:
    found = places(with_flags(["n 1 x", "n 2 x"], *flags))
    assert [found[flag] for flag in flags] == [["n 1 x"], ["n 2 x"]]


def test_what_concerns_the_whole_comes_first_and_signs_are_kept() -> None:
    made = with_flags(["a1", "b1"], "off by −0.5 of 1", "off by 0.25 of 1")
    failed = tuple(f"not measured: field {number} of b.png: is damaged" for number in (3, 9))
    found = places(replace(made, flags=failed))
    assert list(found)[:3] == [*failed, "off by −0.5 to 0.25 of 1"]
    assert found[failed[0]] == []
