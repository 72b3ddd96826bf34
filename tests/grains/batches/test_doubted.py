from dataclasses import replace

from field_samples import batch

from grainseg.grains.batches.batch import batch_statistics
from grainseg.grains.batches.budget import SegmentationError, StatedError
from grainseg.grains.batches.compare import compare_batches
from grainseg.grains.batches.doubted import cautioned

SOUND, FIELDS = batch(0, 5), batch(1, 6)
DOUBTED = [replace(sample, doubted=index < 2) for index, sample in enumerate(FIELDS)]


def test_a_batch_with_doubted_fields_has_a_flag_and_no_expanded_uncertainty():
    error = SegmentationError(0.01, 0.02, 5, "leave-one-out")
    sound, doubted = (batch_statistics("x", "px", each, error, None, 0.0) for each in (FIELDS, DOUBTED))
    assert sound.budget.complete
    assert not any("trust" in flag for flag in sound.flags)
    assert doubted.budget.expanded is None
    assert doubted.flags[0].startswith("2 of 6 fields: do not trust the boundaries")
    said = batch_statistics("x", "px", DOUBTED, StatedError(0.03), None, 0.0)
    assert said.budget.complete
    assert said.flags[0] == doubted.flags[0]


def test_a_comparison_says_that_boundaries_were_found_in_different_ways():
    predicted = [replace(sample, predicted=True) for sample in FIELDS]
    for a, b in ((SOUND, predicted), (predicted, SOUND)):
        batches = {"A": a, "B": b}
        (pair,) = cautioned(compare_batches(batches, "px"), batches)
        first, second = "AB" if a is predicted else "BA"
        said = f"Boundaries of {first} were predicted by a network, those of {second} were given"
        assert said in pair.sentence
    for alike in (predicted, [*predicted[:2], *FIELDS[2:]]):  # of a mixed batch, nothing is said
        batches = {"A": alike, "B": predicted}
        assert "were given" not in cautioned(compare_batches(batches, "px"), batches)[0].sentence


def test_a_comparison_says_which_batch_is_doubted():
    for second in (FIELDS, DOUBTED):
        batches = {"A": SOUND, "B": second}
        (plain,) = compare_batches(batches, "px")
        (pair,) = cautioned([plain], batches)
        assert pair == (plain if second is FIELDS else replace(plain, sentence=pair.sentence))
        assert ("2 of 6 fields of B: do not trust" in pair.sentence) == (second is DOUBTED)
