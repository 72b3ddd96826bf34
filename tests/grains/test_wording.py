import pytest

from grainseg.grains.wording import counted, listed, minus, plural, signed


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "field", "0 fields"), (1, "field", "1 field"), (2, "field", "2 fields"), (2, "batch", "2 batches")],
)
def test_numbers_agree_with_their_nouns(number, noun, text):
    assert counted(number, noun) == text
    assert plural(noun) in counted(2, noun)


def test_lists_have_one_and():
    assert [listed("abc"[:count]) for count in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_a_minus_is_one():
    assert signed(-1.25, 1) == "−1.2"
    assert signed(0.25, 2) == "+0.25"
    assert minus("-5e-05") == "−5e−05"
