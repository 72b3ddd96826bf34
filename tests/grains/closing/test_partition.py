from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from drawn_networks import blurred, frame, middles, network, soft, with_gaps
from skimage.measure import label as connected

from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import (
    DEFAULT_SETTINGS,
    PartitionSettings,
    as_drawn,
    closed_grains,
    over_segment,
    partition_mask,
    partition_probability,
)
from grainseg.grains.closing.regions import Lines
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.grains.scoring.agreement_regions import region_scores
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY
from grainseg.micrograph.plain.polycrystal import polycrystal


@cache
def small_grains(width):
    """Grains of 20 px, their lines, and these with gaps."""
    truth = polycrystal(11, (384, 384), 20, 0.42, width)
    lines = boundary_lines(truth, width) == BOUNDARY
    return truth, lines, with_gaps(truth, lines, longer_px=7 + width)


@pytest.mark.parametrize("width", [2, 3, 4, 5])
def test_closed_lines_give_their_true_count(width):
    truth, lines = network(width)
    result = partition_mask(lines)
    assert result.count == pytest.approx(truth.max(), rel=0.02)
    assert result.closed_length_px < 0.002 * result.boundary_length_px
    assert result.open_ends <= 2
    assert region_scores(result.grains, truth).adapted_rand_error < 0.03


@pytest.mark.parametrize("width", [2, 3, 4, 5])
def test_gaps_are_closed(width):
    truth, lines = network(width)
    gapped = with_gaps(truth, lines)
    result = partition_mask(gapped)
    merged_without_closing = connected(~gapped, connectivity=1).max()
    assert merged_without_closing < 0.93 * truth.max()
    assert result.count == pytest.approx(truth.max(), rel=0.05)
    assert 0.005 < result.closed_length_px / result.boundary_length_px < 0.03


@pytest.mark.parametrize("width", [2, 3, 5])
def test_gaps_in_a_blurred_drawing_are_closed(width):
    truth, lines, gapped = small_grains(width)
    assert partition_probability(blurred(gapped, 0.5)).count == pytest.approx(truth.max(), rel=0.05)
    assert partition_probability(blurred(lines, 0.7)).count == pytest.approx(truth.max(), rel=0.02)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_what_counts_as_drawn(width):
    gapped = with_gaps(*network(width))
    smoothed = blurred(gapped, 0.5)
    for drawn in (gapped, smoothed, 0.2 + 0.6 * smoothed, 0 * smoothed):
        assert as_drawn(drawn.astype(np.float32))
    faint = np.zeros_like(gapped)
    faint[:, 100:103] = True
    assert not as_drawn(np.maximum(smoothed, 0.3 * faint))


@pytest.mark.parametrize("width", [2, 3, 5])
def test_gaps_between_small_grains_are_closed(width):
    """Grains of 20 px: of half of their boundaries a gap of 7 px leaves something, and that is enough."""
    truth, _, gapped = small_grains(width)
    assert connected(~gapped, connectivity=1).max() < 0.93 * truth.max()
    assert partition_mask(gapped).count == pytest.approx(truth.max(), rel=0.05)


def test_every_pixel_lies_in_one_connected_grain():
    result = partition_probability(soft(network(3)[1]))
    assert result.grains.dtype == np.uint32
    assert np.unique(result.grains).tolist() == list(range(1, result.count + 1))
    assert connected(result.grains, connectivity=1).max() == result.count


@pytest.mark.parametrize("width", range(1, 8))
def test_grains_reach_to_the_middle_of_lines_of_any_width(width):
    stripes = np.zeros((50, 160), np.bool_)
    for middle in range(20, 160, 20):
        stripes[:, middle - width // 2 : middle - width // 2 + width] = True
    areas = np.bincount(partition_mask(stripes).grains.ravel())[1:]
    assert len(areas) == 8
    np.testing.assert_allclose(areas[1:-1], 50 * 20)
    np.testing.assert_allclose(areas[[0, -1]], 50 * 20, atol=50)


def test_the_mean_intercept_does_not_depend_on_the_width_of_the_lines():
    truth, _ = network(5)
    found = [
        mean_intercept_px(partition_mask(boundary_lines(truth, width) == BOUNDARY).grains)
        for width in (2, 3, 4, 5)
    ]
    assert np.ptp(found) < 0.03 * np.mean(found)  # what is left: wide lines hide ripples
    assert np.mean(found) == pytest.approx(mean_intercept_px(truth), rel=0.02)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("flip", [False, True])
def test_flips_and_quarter_turns_only_move_ties(turns, flip):
    probability = soft(with_gaps(*network(3)))
    turned = np.rot90(probability[::-1] if flip else probability, turns)
    there = partition_probability(np.ascontiguousarray(turned))
    back = np.rot90(there.grains, -turns)
    back = back[::-1] if flip else back
    here = partition_probability(probability)
    assert there.count == pytest.approx(here.count, rel=0.01)
    assert region_scores(back, here.grains).adapted_rand_error < 0.025
    assert mean_intercept_px(back) == pytest.approx(mean_intercept_px(here.grains), rel=0.005)
    assert there.closed_length_px == pytest.approx(here.closed_length_px, rel=0.1)


def test_scale_does_not_matter():
    lines = with_gaps(*network(3))
    here = partition_mask(lines)
    larger = partition_mask(np.kron(lines, np.ones((2, 2), np.bool_)))
    assert larger.count == pytest.approx(here.count, rel=0.03)
    assert larger.boundary_length_px == pytest.approx(2 * here.boundary_length_px, rel=0.05)


def test_a_gap_is_closed_and_reported():
    mask = frame(width=2)
    mask[29:31, 10:17] = False
    result = partition_mask(mask)
    assert result.count == 4
    assert result.closed[29:31, 11:16].all()
    assert not result.closed[:, 35:].any()
    assert result.closed_length_px == pytest.approx(7, rel=0.15)
    assert result.boundary_length_px == pytest.approx(120, rel=0.08)  # along rows Crofton reads 5 % short
    assert result.open_ends == 2


def dumbbell(distance):
    """Two discs of radius 22 that overlap."""
    mask = np.ones((60, 106), np.bool_)
    rows, columns = np.ogrid[:60, :106]
    for centre in (30, 30 + distance):
        mask &= (rows - 30) ** 2 + (columns - centre) ** 2 > 22**2
    return mask


def doubtful(mask, at):
    """A network's map: sure of these boundaries, and of one place that is none only in part."""
    graded = 0.9 * mask.astype(np.float32)
    graded[at[0] - 2 : at[0] + 3, at[1] - 2 : at[1] + 3] = 0.3
    return graded


def test_what_is_left_out_is_not_closed():
    mask = frame(width=2)
    mask[29:31, 10:17] = False
    left_out = np.zeros(mask.shape, np.bool_)
    left_out[25:35, 5:22] = True
    part = partition_mask(mask, left_out=left_out)
    assert not part.closed.any()
    assert part.closed_length_px == 0


def test_four_pixels_within_a_line_are_a_pinhole_and_five_are_none():
    mask = np.zeros((60, 60), np.bool_)
    mask[25:35] = True
    mask[29:31, 29:31] = False
    found = partition_mask(mask)
    assert (found.count, found.pinholes) == (3, 1)
    assert partition_mask(mask, left_out=~mask & (np.arange(60)[:, None] > 20)).pinholes == 0
    mask[29, 31] = False
    assert partition_mask(mask).pinholes == 0


def test_a_waist_is_no_boundary():
    assert partition_mask(dumbbell(30)).count == 1
    assert partition_mask(dumbbell(30)).closed_length_px == 0


@pytest.mark.parametrize(
    ("lines", "widest_parted"), [(Lines.HOLED, 34), (Lines.PREDICTED, 40), (Lines.CLOSED, 44)]
)
def test_the_less_is_known_of_a_neck_the_wider_it_may_be_and_still_part_grains(lines, widest_parted):
    for distance, parted in ((widest_parted - 2, False), (widest_parted, True)):
        pieces = over_segment(dumbbell(distance).astype(np.float32), 0.5, drawn=True)
        grains = closed_grains(replace(pieces, graph=replace(pieces.graph, lines=lines)), DEFAULT_SETTINGS)
        assert (grains.max() == 2) == parted


def test_thin_grains_of_a_closed_network_keep_their_waists():
    grains = polycrystal(41_425, (768, 768), 60, 0.42, 5)
    assert partition_mask(boundary_lines(grains, 5) == BOUNDARY).count == grains.max()


def test_a_pinhole_in_a_closed_network_joins_nothing():
    grains, lines = network(3)
    row, column = middles(grains, 20)[50].astype(int)
    pierced = lines.copy()
    pierced[row - 1 : row + 3, column - 1 : column + 3] = False
    assert connected(~pierced, connectivity=1).max() == connected(~lines, connectivity=1).max() - 1
    assert partition_mask(pierced).count == grains.max()


def test_lines_with_open_ends_have_holes():
    truth, lines = network(3)
    gapped = with_gaps(truth, lines)
    for mask, expected in ((lines, Lines.CLOSED), (gapped, Lines.HOLED)):
        assert over_segment(mask.astype(np.float32), 0.5, drawn=True).graph.lines is expected
    assert over_segment(doubtful(gapped, (100, 100)), 0.5).graph.lines is Lines.PREDICTED


@pytest.mark.parametrize(
    ("line_width_px", "typical_area_px"), [(3.0, 1500.0), (30.0, 20_000.0)], ids=["no hole", "a lobe"]
)
def test_a_neck_that_is_no_hole_or_parts_a_small_lobe_must_be_less_than_half_as_wide(
    line_width_px, typical_area_px
):
    for distance, parted in ((38, False), (41, True)):
        graph = over_segment(dumbbell(distance).astype(np.float32), 0.5, drawn=True).graph
        bare = replace(graph, line_width_px=line_width_px, evidence=0 * graph.evidence, lines=Lines.HOLED)
        support = bare.crediting_deep_necks(typical_area_px).support[0]
        assert (support >= DEFAULT_SETTINGS.support) == parted


def test_weak_evidence_along_a_border_keeps_it():
    probability = np.ones((33, 63), np.float32)
    probability[2:31, 2:31] = probability[2:31, 32:61] = 0
    probability[5:27, 31] = 0.35  # below the threshold, not nothing
    assert partition_probability(probability).count == 2
    probability[5:27, 31] = 0
    assert partition_probability(probability).count == 1


def test_specks_are_joined_relative_to_the_grains():
    mask = frame()
    mask[5:10, 5:10] = True
    mask[7, 7] = False
    assert partition_mask(mask, replace(DEFAULT_SETTINGS, min_size=0.03)).count == 4
    assert partition_mask(mask, replace(DEFAULT_SETTINGS, min_size=0)).count == 5


def test_an_empty_map_is_one_grain():
    result = partition_probability(np.zeros((20, 30), np.float32))
    assert result.count == 1
    assert (result.grains == 1).all()
    assert not result.closed.any()
    assert (result.closed_length_px, result.boundary_length_px) == (0, 0)
    assert result.open_ends == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2)])
def test_the_smallest_fields(shape):
    mask = np.zeros(shape, np.bool_)
    assert partition_mask(mask).count == 1
    if max(shape) == 40:
        mask.ravel()[20] = True
        assert partition_mask(mask).count == 2


def test_one_pixel_of_boundary_is_no_boundary():
    mask = np.zeros((30, 30), np.bool_)
    mask[15, 15] = True
    assert partition_mask(mask).count == 1


def test_all_boundary_is_an_error():
    with pytest.raises(GrainsegError, match="the whole field is boundary at partition threshold 0"):
        partition_probability(np.full((20, 30), 0.9, np.float32))
    with pytest.raises(GrainsegError, match="there is no grain"):
        partition_mask(np.ones((20, 30), np.bool_))


@pytest.mark.parametrize("wrong", [np.nan, -0.01, 1.01, np.inf, 255])
def test_what_is_no_probability_is_refused(wrong):
    probability = np.zeros((20, 30), np.float32)
    probability[3, 4] = wrong
    with pytest.raises(ValueError, match=r"\[0, 1\] expected"):
        partition_probability(probability)


@pytest.mark.parametrize("shape", [(0, 5), (5,), (4, 5, 3)])
def test_what_is_no_field_is_refused(shape):
    with pytest.raises(ValueError, match="two dimensions"):
        partition_probability(np.zeros(shape, np.float32))


def test_a_mask_is_bool():
    with pytest.raises(ValueError, match="uint8: bool expected"):
        partition_mask(np.zeros((20, 30), np.uint8))


@pytest.mark.parametrize(
    "change",
    [{"threshold": 0}, {"threshold": 1}, {"depth": -0.1}, {"support": 1.1}, {"min_size": float("nan")}],
)
def test_settings_outside_their_range_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(DEFAULT_SETTINGS, **change)


def test_float64_is_taken():
    probability = soft(network(3)[1])[:100, :100]
    again = partition_probability(probability.astype(np.float64))
    assert (again.grains == partition_probability(probability).grains).all()


def test_strips_do_not_show(monkeypatch):
    probability = soft(network(3)[1])[:100, :120]
    whole = over_segment(probability, 0.4)
    monkeypatch.setattr("grainseg.grains.closing.regions._ROWS", 7)
    strips = over_segment(probability, 0.4)
    for name in ("area_px", "peak", "first", "second", "saddle", "length_px", "evidence"):
        np.testing.assert_allclose(getattr(strips.graph, name), getattr(whole.graph, name), rtol=1e-6)


def test_settings_are_kept():
    settings = PartitionSettings(0.6, 0.2, 0.1, 0.02)
    assert partition_mask(frame(), settings).settings == settings
