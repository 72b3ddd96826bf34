"""Scores that a stranger's checkpoint brings are numbers in their ranges."""

from typing import Any

import pytest

from grainseg.grains.scoring.validation import ValidationScores

GOOD: dict[str, Any] = {
    "boundary_f1": 0.9,
    "adapted_rand_error": 0.1,
    "grain_count_error": 2.5,
    "intercept_error": 0.03,
    "images": 1,
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [True, None, "0.5", [0.5], 10**400, -0.5, float("nan"), float("inf")])
def test_what_cannot_be_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} of the validation is no"):
        ValidationScores(**GOOD | {name: value})


def test_shares_end_at_one_and_errors_do_not() -> None:
    assert ValidationScores(**GOOD).grain_count_error == 2.5
    with pytest.raises(ValueError, match=r"boundary_f1 .* from 0 to 1$"):
        ValidationScores(**GOOD | {"boundary_f1": 1.5})
