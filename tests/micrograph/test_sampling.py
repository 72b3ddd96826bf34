import numpy as np

from grainseg.micrograph.sampling import nearest


def test_each_pixel_takes_what_lies_at_its_middle():
    values = np.arange(24, dtype=np.uint32).reshape(4, 6)
    np.testing.assert_array_equal(nearest(values, (4, 6)), values)
    np.testing.assert_array_equal(nearest(values, (2, 2)), values[[1, 3]][:, [1, 4]])
    np.testing.assert_array_equal(nearest(values, (1, 4)), values[[2]][:, [0, 2, 3, 5]])
    np.testing.assert_array_equal(nearest(values, (8, 12)), values.repeat(2, axis=0).repeat(2, axis=1))
