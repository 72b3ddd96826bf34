"""Patches of partly labelled images come from where somebody labelled; of others nothing changes."""

from collections.abc import Callable

import numpy as np
import pytest

from grainseg.config import AugmentConfig
from grainseg.data.geometry import Geometry
from grainseg.data.images import LabelledMicrograph
from grainseg.data.labelled import labelled_cells, labelled_places
from grainseg.data.patches import PatchDataset
from grainseg.micrograph.image import IGNORE
from grainseg.micrograph.plain.synthetic import generate

SIZE = 64


def micrograph(ignored: np.ndarray, seed: int = 0) -> LabelledMicrograph:
    made = generate(seed, ignored.shape)
    label = np.where(ignored, np.uint8(IGNORE), made.label)
    return LabelledMicrograph(str(seed), made.pixels[:, :, None], label, 3.0)


def all_but(rows: slice, columns: slice, shape: tuple[int, int] = (240, 260)) -> np.ndarray:
    ignored = np.ones(shape, bool)
    ignored[rows, columns] = False
    return ignored


QUARTER = all_but(np.s_[:120], np.s_[:130])


def shares(dataset: PatchDataset, count: int) -> np.ndarray:
    """Of each patch, how much of it is labelled."""
    return np.array([(dataset[number][1].numpy() != IGNORE).mean() for number in range(count)])


@pytest.mark.parametrize(
    ("ignored", "mean"),
    [
        (QUARTER, 0.6),
        (all_but(np.s_[200:], np.s_[230:]), 0.12),  # a corner, smaller than a patch
        (all_but(np.s_[100:104], np.s_[:]), 0.02),  # a strip
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_every_patch_shows_labelled_pixels(
    ignored: np.ndarray, mean: float, turned: bool, augment: Callable[..., AugmentConfig]
) -> None:
    strengths = {"flip": True, "rotate_deg": 180, "scale_min": 0.7, "scale_max": 1.4, "elastic_px": 2.0}
    dataset = PatchDataset([micrograph(ignored)], SIZE, augment(**strengths if turned else {}), seed=3)
    found = shares(dataset, 80)
    assert (found > 0).all()
    assert found.mean() > mean


def test_places_are_drawn_in_proportion_to_what_they_show(augment: Callable[..., AugmentConfig]) -> None:
    """Along one axis: of 3 labelled px in a row of 9 a patch of 3 shows 1, 2, 3, 2, 1 at five places."""
    label = np.full((3, 9), IGNORE, np.uint8)
    label[:, 3:6] = 0
    places = labelled_places(label)
    rng = np.random.default_rng(0)
    still = Geometry(centre=(1.0, 1.0))
    columns = [places.shown_by(still, (3, 9), 3, rng).centre for _ in range(9000)]
    values, counts = np.unique(np.array(columns)[:, 1], return_counts=True)
    assert values.tolist() == [2, 3, 4, 5, 6]
    np.testing.assert_allclose(counts / 1000, [1, 2, 3, 2, 1], atol=0.15)
    assert {row for row, _ in columns} == {1.0}


def test_without_augmentation_patches_lie_inside_on_whole_pixels(
    augment: Callable[..., AugmentConfig],
) -> None:
    image = micrograph(QUARTER)
    places, rng = labelled_places(image.label), np.random.default_rng(0)
    centres = [
        places.shown_by(Geometry(centre=(50.5, 70.5)), image.shape, SIZE, rng).centre for _ in range(500)
    ]
    corners = np.array(centres) - (SIZE - 1) / 2
    assert (corners == np.round(corners)).all()
    assert (corners >= 0).all()
    assert (corners <= np.array(image.shape) - SIZE).all()


def test_an_image_smaller_than_the_patch_stays_in_its_middle() -> None:
    label = np.zeros((40, 50), np.uint8)
    label[:, 20:] = IGNORE
    moved = labelled_places(label).shown_by(Geometry(centre=(0, 0)), (40, 50), SIZE, np.random.default_rng(0))
    assert moved.centre == (19.5, 24.5)


def test_images_are_drawn_in_proportion_to_their_labelled_area(augment: Callable[..., AugmentConfig]) -> None:
    """A quarter of one image and all of another of the same size: every fifth patch."""
    dataset = PatchDataset(
        [micrograph(QUARTER), micrograph(np.zeros_like(QUARTER), 1)], SIZE, augment(), seed=0
    )
    assert dataset._share.tolist() == pytest.approx([0.2, 0.8])
    assert (shares(dataset, 120) < 1).mean() == pytest.approx(0.2 * 0.44, abs=0.06)


def test_places_take_four_bytes_each() -> None:
    label = np.full((260, 260), IGNORE, np.uint8)
    label[3, 4] = label[250, 1:] = 0
    at = labelled_places(label).at
    assert at is not None
    assert at.dtype == np.uint32
    np.testing.assert_array_equal(at, np.flatnonzero(label != IGNORE))


def test_a_wholly_labelled_image_is_drawn_from_as_ever() -> None:
    whole = micrograph(np.zeros_like(QUARTER))
    assert labelled_places(whole.label).at is None
    geometry = Geometry(centre=(1.0, 2.0))
    moved = labelled_places(whole.label).shown_by(geometry, whole.shape, SIZE, np.random.default_rng(0))
    assert moved is geometry


def test_a_grid_leaves_out_what_nobody_labelled(augment: Callable[..., AugmentConfig]) -> None:
    image = micrograph(QUARTER)
    dataset = PatchDataset([image], SIZE, augment(), seed=0, overlap=16)
    grid = dataset.grid
    assert grid is not None
    assert {corner[1:] for corner in grid} == {(r, c) for r in (0, 48, 96) for c in (0, 48, 96)}
    assert (shares(dataset, len(grid)) >= 0.1).all()
    seen = np.zeros(image.shape, bool)
    for _, row, column in grid:
        seen[row : row + SIZE, column : column + SIZE] = True
    assert seen[image.label != IGNORE].all()
    whole = PatchDataset([micrograph(np.zeros_like(QUARTER))], SIZE, augment(), seed=0, overlap=16)
    assert len(whole.grid or ()) == 5 * 6


def test_a_speck_keeps_its_best_place_in_the_grid() -> None:
    label = np.full((128, 128), IGNORE, np.uint8)
    label[70:74, 10:14] = 0
    assert labelled_cells(label, SIZE, [0, 64], [0, 64]) == [(64, 0)]
    label[:64, 64:] = 0  # beside a place that shows more it is left out
    assert labelled_cells(label, SIZE, [0, 64], [0, 64]) == [(0, 64)]
