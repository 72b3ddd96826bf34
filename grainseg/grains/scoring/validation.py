"""Scores of a network on its validation pictures, as stored in its checkpoint."""

from dataclasses import dataclass

_LARGEST_ERROR = 1e6
_MOST_IMAGES = 1_000_000


@dataclass(frozen=True)
class ValidationScores:
    """Scores over all validation pictures together; grain scores use the partition stored in the checkpoint.

    The values may come from untrusted checkpoints, so types are checked as well as ranges.

    Attributes:
        boundary_f1: Tolerant F1 of the lines, in [0, 1].
        adapted_rand_error: Adapted Rand error of the grains, in [0, 1].
        grain_count_error: Relative error of the number of grains, without sign.
        intercept_error: Relative error of the mean intercept, without sign.
        images: Number of pictures, at least 1.

    Raises:
        ValueError: If a value is of another type or out of its range.
    """

    boundary_f1: float
    adapted_rand_error: float
    grain_count_error: float
    intercept_error: float
    images: int

    def __post_init__(self) -> None:
        for name, most in (
            ("boundary_f1", 1.0),
            ("adapted_rand_error", 1.0),
            ("grain_count_error", _LARGEST_ERROR),
            ("intercept_error", _LARGEST_ERROR),
        ):
            value = getattr(self, name)
            if type(value) is not float or not 0 <= value <= most:  # nan is in no range
                raise ValueError(f"{name} of the validation is no number from 0 to {most:g}")
        if type(self.images) is not int or not 1 <= self.images <= _MOST_IMAGES:
            raise ValueError(f"images of the validation is no whole number from 1 to {_MOST_IMAGES}")
