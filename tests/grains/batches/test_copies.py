"""One picture as two fields is found, whatever its scale and name."""

import numpy as np

from grainseg.grains.batches.copies import copies, distinct
from grainseg.grains.batches.samples import FieldSample


def sample(name: str, seed: int, scale: float = 1.0, grains: int = 30) -> FieldSample:
    diameters = np.random.default_rng(seed).uniform(10, 30, grains)
    return FieldSample(name, 1000.0 * scale, 50.0, None, diameters * scale, np.ones(grains))


def test_a_copy_is_found_at_another_scale() -> None:
    batches = {"A": [sample("a", 0), sample("b", 1)], "B": [sample("c", 2), sample("d", 1, 0.37)]}
    (found,) = copies(batches)
    assert (found.batch, found.field, found.first_batch, found.first_field) == ("B", "d", "A", "b")
    assert "d in B has the very grains of b in A" in found.sentence


def test_fields_of_one_grain_are_no_copies() -> None:
    assert not list(copies({"A": [sample("a", 0, grains=1)], "B": [sample("b", 0, grains=1)]}))


def test_of_copies_in_one_batch_the_first_stays() -> None:
    fields = [sample("a", 0), sample("b", 1), sample("c", 0), sample("d", 0, 0.5), sample("e", 2)]
    kept, again = distinct(fields)
    assert [field.name for field in kept] == ["a", "b", "e"]
    assert again == ("c", "d")
