import numpy as np

from grainseg.data.images import network_unit, to_channels


def test_grey_and_colour_pictures_become_the_channels_of_the_network() -> None:
    grey = np.arange(12, dtype=np.float32).reshape(3, 4)
    colour = np.stack([grey, 2 * grey, 3 * grey], axis=2)
    for one in (grey, grey[:, :, None]):
        np.testing.assert_array_equal(to_channels(one, 1), grey[:, :, None])
        np.testing.assert_array_equal(to_channels(one, 3), np.repeat(grey[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(to_channels(colour, 3), colour)
    np.testing.assert_allclose(to_channels(colour, 1)[:, :, 0], 1.815 * grey, rtol=1e-6)
    np.testing.assert_allclose(network_unit(colour, 1), network_unit(grey, 1), atol=1e-6)
