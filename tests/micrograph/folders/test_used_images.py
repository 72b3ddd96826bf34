"""What a training keeps of its images, and what it says where they changed."""

from dataclasses import asdict

import pytest

from grainseg.micrograph.folders.used_images import (
    UsedImages,
    changes,
    read_used_images,
    used_by_all,
)

A, B, C, D = (digit * 64 for digit in "abcd")
BEFORE = UsedImages({"f0": A, "f1": B}, {"f2": C}, {})


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (UsedImages({"f1": B, "f0": A}, {"f2": C}, {}), ""),
        (
            UsedImages({"f0": A, "f1": B, "f2": C}, {"g": D}, {}),
            "'f2' validated and would train, 'g' is new and would validate",
        ),
        (UsedImages({"f0": A}, {"f2": C}, {"f1": B}), "'f1' trained and would test"),
        (
            UsedImages({"f0": D}, {"f2": C}, {}),
            "'f0' trained and is another file now, 'f1' trained and is gone",
        ),
        (
            UsedImages({f"x{number}": D for number in range(9)}, {"f2": C}, {}),
            "'f0' trained and is gone, 'f1' trained and is gone, 'x0' is new and would train, "
            "'x1' is new and would train, 7 more",
        ),
    ],
)
def test_what_changed_is_named(now: UsedImages, told: str) -> None:
    assert changes(BEFORE, now) == told


@pytest.mark.parametrize(
    "wrong",
    [
        {"train": {}, "val": {}},
        {"train": {}, "val": {}, "test": {}, "more": {}},
        {"train": [A], "val": {}, "test": {}},
        {"train": {"f0": A.upper()}, "val": {}, "test": {}},
        {"train": {"f0": A + "\n"}, "val": {}, "test": {}},
        {"train": {"f0": 3}, "val": {}, "test": {}},
        {"train": {3: A}, "val": {}, "test": {}},
    ],
)
def test_of_a_file_nothing_else_is_taken(wrong: dict[str, object]) -> None:
    assert read_used_images(asdict(BEFORE)) == BEFORE
    with pytest.raises(ValueError, match="images are no"):
        read_used_images(wrong)


def test_networks_that_became_one_were_trained_by_all_images_that_do_not_test() -> None:
    folds = [UsedImages({"f0": A}, {"f1": B}, {"t": C}), UsedImages({"f1": B}, {"f0": A}, {"t": C})]
    assert used_by_all(folds) == UsedImages({"f0": A, "f1": B}, {}, {"t": C})
    assert used_by_all([folds[0], None]) is None
