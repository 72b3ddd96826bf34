import pytest

from grainseg.errors import GrainsegError
from grainseg.grains.labels.structure import PART_CHOICES, TWIN_CHOICES, Structure


@pytest.mark.parametrize("twins", TWIN_CHOICES)
@pytest.mark.parametrize("part", PART_CHOICES)
def test_every_policy_has_a_sentence(twins, part):
    structure = Structure(twins, part, part)
    assert all(sentence.endswith(".") and "{" not in sentence for sentence in structure.sentences)
    assert any("twin" in flag for flag in structure.flags) == (twins == "drawn")
    assert sum("counted as grains" in flag for flag in structure.flags) == 2 * (part == "as_grains")


def test_nothing_is_assumed():
    assert all("not declared" in sentence for sentence in Structure().sentences)
    assert Structure().flags == ()


@pytest.mark.parametrize("key", ["twins", "second_phase", "pores"])
def test_other_words_are_refused(key):
    with pytest.raises(GrainsegError, match=f"{key}=maybe: must be one of unknown, "):
        Structure(**{key: "maybe"})
