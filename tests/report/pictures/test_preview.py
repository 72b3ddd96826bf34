import io

import numpy as np
import pytest
from PIL import Image
from report.pictures.test_overlay import is_colour
from report_example import checkerboard

from grainseg.report.pictures.grain_overlay import CLOSED, SizeScale
from grainseg.report.pictures.overlay import LINE, to_display
from grainseg.report.pictures.preview import data_uri, make_preview, size_layer_webp


def noise(side):
    return np.random.default_rng(0).random((side, side), dtype=np.float32)


def decoded(webp):
    return np.asarray(Image.open(io.BytesIO(webp)).convert("RGBA"))


def bytes_of(preview):
    return len(preview.micrograph) + len(preview.boundaries) + len(preview.grain_ids)


def test_small_images_keep_their_size_and_their_pixels():
    grains = checkerboard(200, 20)
    smooth = np.tile(np.linspace(0, 1, 200, dtype=np.float32), (200, 1))

    preview = make_preview(smooth, grains)

    assert preview.shape == preview.full_shape == (200, 200)
    np.testing.assert_array_equal(preview.grains(), grains)
    shown = decoded(preview.micrograph)[..., :3].astype(int)
    assert np.abs(shown - to_display(smooth)).max() < 12
    assert not preview.has_closed


def test_lines_are_drawn_after_the_reduction():
    grains = np.full((4000, 3000), 9, np.uint32)
    grains[2000:] = 4_000_000_000

    preview = make_preview(np.zeros(grains.shape, np.float32), grains)

    assert preview.shape == (1600, 1200)
    assert np.count_nonzero(is_colour(decoded(preview.boundaries)[..., :3], LINE)[:, 600]) == 3
    assert set(np.unique(preview.grains())) == {9, 4_000_000_000}


def test_narrow_gaps_survive_the_reduction():
    grains = np.ones((4000, 400), np.uint32)
    grains[2000:] = 2
    closed = np.zeros(grains.shape, np.bool_)
    closed[1999:2001, 100:140] = True

    preview = make_preview(np.zeros(grains.shape, np.float32), grains, closed)

    assert preview.has_closed
    assert 16 <= is_colour(decoded(preview.boundaries)[..., :3], CLOSED).any(axis=0).sum() <= 24


@pytest.mark.parametrize(("images", "share"), [(50, 360e3), (100, 180e3)])
def test_images_share_the_bytes_even_if_they_are_noise(images, share):
    preview = make_preview(noise(1024), checkerboard(1024, 16), None, images)

    assert bytes_of(preview) <= share
    assert 480 <= max(preview.shape) < 1024


def test_pictures_of_huge_batches_stay_legible():
    assert max(make_preview(noise(1024), checkerboard(1024, 16), None, 5000).shape) == 480


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (300, 1)])
def test_odd_shapes(shape):
    preview = make_preview(np.zeros(shape, np.float32), np.ones(shape, np.uint32))

    assert min(preview.shape) == 1
    height, width = decoded(preview.boundaries).shape[:2]
    assert height * preview.shape[1] == width * preview.shape[0]


def test_lines_of_small_pictures_are_drawn_finer_than_their_pixels():
    preview = make_preview(noise(400), checkerboard(400, 200))

    lines = is_colour(decoded(preview.boundaries)[..., :3], LINE)
    assert lines.shape == (1200, 1200)
    np.testing.assert_array_equal(np.flatnonzero(lines[:, 100]), [598, 599, 600])


def test_colours_by_size_are_lossless():
    grains = checkerboard(60, 20)
    scale = SizeScale(1, 9)

    ids = np.arange(1, 10)
    layer = decoded(size_layer_webp(make_preview(noise(60), grains), ids, ids.astype(float), scale))

    np.testing.assert_array_equal(layer[8, 48, :3], scale.colours([3])[0])
    assert data_uri(b"abc") == "data:image/webp;base64,YWJj"
