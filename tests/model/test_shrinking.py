"""Networks that look at shrunk pictures: means of squares go in, an answer for each pixel comes out."""

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.model.networks import NetworkSpec, build_network
from grainseg.model.shrinking import shrink_input


class Echo(nn.Module):
    """Answers with what it sees, and remembers it."""

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        self.seen = picture
        return picture


@pytest.mark.parametrize("shrink", [2, 3, 8])
def test_it_sees_means_and_answers_at_the_pictures_size(shrink: int) -> None:
    """OpenCV's averages over areas and linear interpolation are the reference."""
    echo = Echo()
    picture = np.random.default_rng(0).random((5 * shrink, 7 * shrink), dtype=np.float32)
    answer = shrink_input(echo, shrink)(torch.from_numpy(picture)[None, None])
    small = cv2.resize(picture, (7, 5), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(echo.seen[0, 0], small, atol=1e-6)
    large = cv2.resize(small, (7 * shrink, 5 * shrink), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(answer[0, 0], large, atol=1e-5)


def test_by_one_nothing_changes() -> None:
    echo = Echo()
    picture = torch.rand(1, 1, 5, 7)
    assert shrink_input(echo, 1)(picture) is picture


def test_answers_in_half_precision_are_interpolated_in_single_precision() -> None:
    answer = shrink_input(Echo(), 2)(torch.rand(1, 1, 4, 4).bfloat16())
    assert answer.dtype == torch.float32


def test_weights_keep_their_names_and_learn() -> None:
    spec = NetworkSpec("unet", "tu-mobilenetv3_small_100", 1, 16)
    plain, shrunk = build_network(spec), shrink_input(build_network(spec), 2)
    shrunk.load_state_dict(plain.state_dict())
    shrunk(torch.rand(2, 1, 64, 128)).mean().backward()
    assert all(value.grad is not None for value in shrunk.parameters())


@pytest.mark.parametrize("shape", [(1, 1), (31, 45), (200, 333)])
def test_pictures_of_any_size_are_stitched_exactly(shape: tuple[int, int]) -> None:
    """A network whose view ends within the rim that is thrown away, on a grid of squares of 3 px."""
    torch.manual_seed(0)
    network = shrink_input(nn.Sequential(nn.Conv2d(1, 4, 7, padding=3), nn.ReLU(), nn.Conv2d(4, 1, 1)), 3)
    unit = np.random.default_rng(0).random((*shape, 1), dtype=np.float32)
    stitched = predict_probability(network, unit, TileSettings(192, 96, stride=96))
    whole = predict_probability(network, unit, TileSettings(384, 0, stride=96))
    assert stitched.shape == shape
    np.testing.assert_allclose(stitched, whole, atol=1e-5)
