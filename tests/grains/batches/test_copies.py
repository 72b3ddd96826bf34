"""One field in two batches is found, whatever its scale and name."""

import numpy as np

from grainseg.grains.batches.copies import copies
from grainseg.grains.batches.samples import FieldSample


def sample(name: str, seed: int, scale: float = 1.0, grains: int = 30) -> FieldSample:
    diameters = np.random.default_rng(seed).uniform(10, 30, grains)
    return FieldSample(name, 1000.0 * scale, 50.0, None, diameters * scale, np.ones(grains))


def test_a_copy_is_found_at_another_scale() -> None:
    batches = {"A": [sample("a", 0), sample("b", 1)], "B": [sample("c", 2), sample("d", 1, 0.37)]}
    (found,) = copies(batches)
    assert (found.batch, found.field, found.first_batch, found.first_field) == ("B", "d", "A", "b")
    assert "d in B has the very grains of b in A" in found.sentence


def test_fields_of_one_batch_and_of_few_grains_are_no_copies() -> None:
    assert not list(copies({"A": [sample("a", 0), sample("b", 0)], "B": [sample("c", 1)]}))
    assert not list(copies({"A": [sample("a", 0, grains=1)], "B": [sample("b", 0, grains=1)]}))
