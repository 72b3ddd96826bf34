"""The grains of each member of an ensemble: measured as those of the ensemble itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from grainseg.grains.batches.batch import batch_statistics
from grainseg.grains.batches.field_samples import field_sample
from grainseg.grains.closing.partition import DEFAULT_SETTINGS, partition_probability
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.measuring.left_out import LeftOut
from grainseg.micrograph.folders.selection import SelectedImage
from grainseg.micrograph.image import FloatImage, Micrograph, PixelSize
from grainseg.micrograph.plain.synthetic import SyntheticRecipe, generate
from grainseg.pipeline.pictures.member_grains import MemberGrains
from grainseg.pipeline.pictures.picture import OpenedPicture

SIZE = PixelSize(0.5, 0.25, "given by the user")


def boundary_map(mean_grain_px: float) -> FloatImage:
    label = generate(3, (160, 200), SyntheticRecipe(mean_grain_px=(mean_grain_px, mean_grain_px))).label
    return gaussian_filter((label == 1).astype(np.float32), 0.7)


def opened(left_out: LeftOut) -> OpenedPicture:
    picture = Micrograph(np.zeros((160, 200), np.float32), SIZE)
    return OpenedPicture(SelectedImage(Path("a.png"), Path("a.png")), picture, left_out)


@pytest.mark.parametrize("where", ["nowhere", "excluded", "ignored"])
def test_the_sizes_are_those_of_a_field_and_of_a_batch(where: str) -> None:
    place = np.zeros((160, 200), np.bool_)
    place[30:60, 40:90] = True
    left_out = LeftOut() if where == "nowhere" else LeftOut(**{where: place})
    members, intercepts, d50 = MemberGrains(opened(left_out), DEFAULT_SETTINGS), [], []
    for size in (14.0, 20.0):
        probability = boundary_map(size)
        members.add(probability)
        partition = partition_probability(probability, DEFAULT_SETTINGS, left_out.mask)
        partition = replace(partition, grains=left_out.of_grains(partition.grains))
        field = measure_field("a", partition.grains, SIZE, partition, left_out.ignored)
        intercepts.append(field.mean_intercept_px)
        batch = batch_statistics("b", "µm", (field_sample(field, "µm"),), None, None, None)
        d50.append(batch.d50.value / 0.25)
    spread = members.spread()
    assert spread is not None
    assert spread.mean_intercept is not None
    assert spread.d50 is not None
    assert (spread.mean_intercept.low_px, spread.mean_intercept.high_px) == pytest.approx(sorted(intercepts))
    assert (spread.d50.low_px, spread.d50.high_px) == pytest.approx(sorted(d50), rel=1e-3)
    assert spread.d50.high_px > 1.1 * spread.d50.low_px


def test_a_member_that_sees_boundary_everywhere_is_no_error() -> None:
    members = MemberGrains(opened(LeftOut()), DEFAULT_SETTINGS)
    members.add(boundary_map(20.0))
    members.add(np.ones((160, 200), np.float32))
    spread = members.spread()
    assert spread is not None
    assert (spread.count, spread.mean_intercept, spread.d50) == (2, None, None)
