"""Patches keep the truth: exact crops, true rotations, lines of constant width, nothing from outside."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from grainseg.config import AugmentConfig
from grainseg.data.geometry import Geometry, cut_patch, draw_geometry
from grainseg.data.images import LabelledMicrograph
from grainseg.data.line_field import LineField, line_field
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.micrograph.labels import line_width_px
from grainseg.micrograph.plain.synthetic import generate

SIZE = 64


@pytest.fixture(scope="module")
def field() -> LabelledMicrograph:
    made = generate(3, (220, 260))
    return LabelledMicrograph("field", made.pixels[:, :, None], made.label, line_width_px(made.label))


def cut(field: LabelledMicrograph, geometry: Geometry, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    return cut_patch(field, line_field(field.label), geometry, size)


def at(row: int, column: int, size: int = SIZE) -> tuple[float, float]:
    return row + (size - 1) / 2, column + (size - 1) / 2


def test_without_change_a_patch_is_the_crop(field: LabelledMicrograph) -> None:
    pixels, label = cut(field, Geometry(centre=at(17, 40)))
    window = (slice(17, 17 + SIZE), slice(40, 40 + SIZE))
    np.testing.assert_array_equal(label, field.label[window])
    np.testing.assert_allclose(pixels, field.unit[window], atol=1e-6)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_a_label_beside_its_picture_is_brought_back_before_it_is_turned(
    field: LabelledMicrograph, turns: int, flip: bool
) -> None:
    beside = np.roll(field.label, (2, -1), axis=(0, 1))
    moved = replace(field, label=beside, label_offset_px=(2.0, -1.0))
    geometry = Geometry(centre=at(50, 60), angle=turns * np.pi / 2, flip=flip)
    pixels, label = cut(moved, geometry)
    expected_pixels, expected = cut(field, geometry)
    np.testing.assert_array_equal(pixels, expected_pixels)
    assert (label == expected).mean() > 0.999


@pytest.mark.parametrize("offset", [(4.0, -4.0), (-4.0, 4.0), (3.0, 0.0), (0.0, -2.0)])
def test_a_label_beside_its_picture_is_brought_back_to_the_last_pixel(
    field: LabelledMicrograph, offset: tuple[float, float]
) -> None:
    down, right = (int(each) for each in offset)
    beside = np.roll(field.label, (down, right), axis=(0, 1))
    moved = replace(field, label=beside, label_offset_px=offset)
    _, label = cut(moved, Geometry(centre=at(50, 60)))
    np.testing.assert_array_equal(label, field.label[50 : 50 + SIZE, 60 : 60 + SIZE])


def test_where_a_label_beside_its_picture_has_nothing_nobody_knows(field: LabelledMicrograph) -> None:
    moved = replace(field, label_offset_px=(0.0, 3.0))
    _, label = cut(moved, Geometry(centre=at(50, 260 - SIZE)))
    assert (label[:, -3:] == IGNORE).all()
    assert not (label[:, :-3] == IGNORE).any()


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_quarter_turns_and_flips_are_those_of_the_crop(
    field: LabelledMicrograph, turns: int, flip: bool
) -> None:
    pixels, label = cut(field, Geometry(centre=at(50, 60), angle=-turns * np.pi / 2, flip=flip))
    crop, truth = field.unit[50 : 50 + SIZE, 60 : 60 + SIZE], field.label[50 : 50 + SIZE, 60 : 60 + SIZE]
    crop, truth = np.rot90(crop, turns), np.rot90(truth, turns)
    if flip:
        crop, truth = crop[:, ::-1], truth[:, ::-1]
    assert (label == truth).mean() > 0.999  # sine and cosine of a quarter turn are not exact
    np.testing.assert_allclose(pixels, crop, atol=0.02)


@pytest.mark.parametrize("scale", [0.6, 0.8, 1.25, 1.6])
@pytest.mark.parametrize("angle", [0.4, 1.1, 2.1])
def test_lines_keep_their_width_when_rotated_and_scaled(scale: float, angle: float) -> None:
    """Stripes with a line every 25 px: magnified by s, 3 px in every 25 s are line, whatever the angle."""
    grains = np.broadcast_to(np.arange(400) // 25 + 1, (400, 400)).astype(np.int32)
    label = boundary_lines(grains, 3)
    stripes = LabelledMicrograph("stripes", np.zeros((400, 400, 1), np.float32), label, 3.0)
    _, drawn = cut(stripes, Geometry(centre=(200, 200), angle=angle, scale=scale), 160)
    assert (drawn == BOUNDARY).mean() == pytest.approx(3 / (25 * scale), rel=0.12)


@pytest.mark.parametrize(
    ("thin", "degrees"), [(1, 0), (1, 20), (1, 90), (2, 0), (2, 20), (2, 45), (3, 30), (3, 45), (3, 90)]
)  # not 1 px at 45 degrees: its pixels touch at their corners, and interpolation parts them at any scale
def test_a_line_much_thinner_than_the_mean_stays_when_magnified(thin: int, degrees: int) -> None:
    turn = np.deg2rad(degrees)
    rows, columns = np.mgrid[:200, :200] - 99.6
    across = rows * np.cos(turn) - columns * np.sin(turn)
    label = ((abs(across) <= thin / 2) | (abs(abs(across) - 50) <= 2 * thin + 2)).astype(np.uint8)
    both = LabelledMicrograph("both", np.zeros((200, 200, 1), np.float32), label, line_width_px(label))
    lines = line_field(label)
    for scale in np.linspace(1, 1.6, 13):
        _, drawn = cut_patch(both, lines, Geometry((99.6, 99.6), angle=-turn, scale=scale), SIZE)
        assert (drawn == BOUNDARY).any(axis=0).mean() > 0.5


def test_lines_of_one_width_are_drawn_by_the_mean_width_alone(field: LabelledMicrograph) -> None:
    part = field.label.copy()
    part[90:, 100:160] = IGNORE
    config = AugmentConfig("robust", True, 180, 1.0, 1.6, 2.0, 0, 0, 0, 1, 0, 0, 0, 0, 0)
    for image in (field, replace(field, label=part)):
        lines = line_field(image.label)
        without = LineField(lines.distance, np.full_like(lines.core, 255))
        for seed in range(20):
            geometry = draw_geometry(np.random.default_rng(seed), config, image.shape, SIZE)
            _, expected = cut_patch(image, without, geometry, SIZE)
            np.testing.assert_array_equal(cut_patch(image, lines, geometry, SIZE)[1], expected)


def test_magnification_moves_the_lines_to_where_the_picture_shows_them() -> None:
    grains = np.ones((200, 200), dtype=np.int32)
    grains[:, 100:] = 2
    label = boundary_lines(grains, 3)
    pixels = np.where(label == BOUNDARY, 0.0, 1.0).astype(np.float32)[:, :, None]
    field = LabelledMicrograph("step", pixels, label, 3.0)
    drawn, line = cut(field, Geometry(centre=(100, 90.25), scale=2.0))
    columns = np.flatnonzero((line == BOUNDARY).all(axis=0))
    dark = np.flatnonzero(drawn[SIZE // 2, :, 0] < 0.5)
    assert len(columns) == 3
    assert columns.mean() == pytest.approx(dark.mean(), abs=0.5)
    assert len(dark) in (5, 6)  # the outermost lie on the edge
    assert (drawn.min(), drawn.max()) == (0, 1)  # cubic interpolation swings beyond


def test_what_lies_outside_the_image_is_ignored(field: LabelledMicrograph) -> None:
    _, label = cut(field, Geometry(centre=(0, 0), angle=0.3))
    _, straight = cut(field, Geometry(centre=(-0.5, 40)))
    assert 0.6 < (label == IGNORE).mean() < 0.85
    assert (straight == IGNORE).mean() == pytest.approx(0.5)
    assert (straight[: SIZE // 2] == IGNORE).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_the_image_ends_half_a_pixel_beyond_its_last(field: LabelledMicrograph, axis: int) -> None:
    length = field.shape[axis]
    for along, expected in ((0.1, 33), (-0.1, 32), (length - 1.1, 33), (length - 0.9, 32)):
        centre = (along, 100.0) if axis == 0 else (100.0, along)
        _, label = cut(field, Geometry(centre=centre))
        inside = (label != IGNORE).any(axis=1 - axis)
        assert np.count_nonzero(inside) == expected
        assert inside[0 if along > 1 else -1]


def test_ignored_parts_stay_ignored(field: LabelledMicrograph) -> None:
    label = field.label.copy()
    label[:100] = IGNORE
    part = LabelledMicrograph("part", field.unit, label, field.line_width_px)
    _, patch = cut(part, Geometry(centre=at(70, 50)))
    assert (patch[:30] == IGNORE).all()
    assert not (patch[30:] == IGNORE).any()


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4, 1.9])
def test_a_line_that_ignored_pixels_cut_off_reaches_up_to_them(scale: float) -> None:
    """Magnified lines keep their width by drawing back from their edge; a cut is no edge."""
    label = np.zeros((200, 200), np.uint8)
    label[99:102] = BOUNDARY
    whole = LabelledMicrograph("whole", np.zeros((200, 200, 1), np.float32), label, 3.0)
    part = label.copy()
    part[:, 100:] = IGNORE
    cut_off = LabelledMicrograph("part", whole.unit, part, 3.0)
    geometry = Geometry(centre=(100.2, 99.3), scale=scale)
    _, expected = cut(whole, geometry)
    _, found = cut(cut_off, geometry)
    assert (found == IGNORE).any(axis=0).sum() > SIZE // 3
    judged = found != IGNORE
    np.testing.assert_array_equal(found[judged], expected[judged])


@pytest.mark.parametrize("origin", [None, (0, 0)])
def test_an_image_smaller_than_the_patch_stands_in_its_middle(
    augment: Callable[..., AugmentConfig], origin: tuple[int, int] | None
) -> None:
    made = generate(5, (40, 50))
    small = LabelledMicrograph("small", made.pixels[:, :, None], made.label, 3.0)
    geometry = draw_geometry(np.random.default_rng(0), augment(), small.shape, SIZE, origin)
    _, label = cut(small, geometry)
    np.testing.assert_array_equal(label[12:52, 7:57], made.label)
    assert (label == IGNORE).sum() == SIZE**2 - 40 * 50


def test_a_grid_keeps_its_places_along_an_axis_that_is_longer_than_the_patch(
    augment: Callable[..., AugmentConfig],
) -> None:
    geometry = draw_geometry(np.random.default_rng(0), augment(), (40, 100), SIZE, (0, 100 - SIZE))
    assert geometry.centre == (-12 + (SIZE - 1) / 2, 100 - SIZE + (SIZE - 1) / 2)


@pytest.mark.parametrize("centre", [(400, 100), (-400, 100), (100, 400), (100, -400)])
def test_a_patch_beside_the_image_shows_nothing(
    field: LabelledMicrograph, centre: tuple[float, float]
) -> None:
    _, label = cut(field, Geometry(centre=centre))
    assert (label == IGNORE).all()


def test_without_augmentation_patches_lie_inside_on_whole_pixels(
    augment: Callable[..., AugmentConfig],
) -> None:
    rng = np.random.default_rng(0)
    geometries = [draw_geometry(rng, augment(), (70, 300), SIZE) for _ in range(300)]
    corners = np.array([geometry.centre for geometry in geometries]) - (SIZE - 1) / 2
    assert set(corners[:, 0]) == set(range(7))
    assert corners[:, 1].min() == 0 or corners[:, 1].min() < 5
    assert corners[:, 1].max() <= 300 - SIZE
    assert all(geometry.elastic is None and not geometry.flip for geometry in geometries)


def test_settings_bound_what_is_drawn(augment: Callable[..., AugmentConfig]) -> None:
    rng = np.random.default_rng(0)
    config = augment(flip=True, rotate_deg=30, scale_min=0.5, scale_max=2.0, elastic_px=2.0)
    drawn = [draw_geometry(rng, config, (400, 400), SIZE) for _ in range(400)]
    scales = np.array([geometry.scale for geometry in drawn])
    assert scales.min() >= 0.5
    assert scales.max() <= 2.0
    assert np.median(scales) == pytest.approx(1.0, abs=0.15)
    assert max(abs(geometry.angle) for geometry in drawn) <= np.deg2rad(30)
    assert 0.4 < np.mean([geometry.flip for geometry in drawn]) < 0.6
    warps = np.stack([geometry.elastic for geometry in drawn if geometry.elastic is not None])
    assert 0.5 < warps.std() < 2.0
