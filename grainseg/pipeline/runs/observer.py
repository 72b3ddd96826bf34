"""Find the boundaries of training pictures before a network is trained on them."""

import functools
import logging

from torch import nn

from grainseg.data.images import to_channels
from grainseg.data.registration import Observe
from grainseg.errors import GrainsegError
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import CheckpointSpec, load_network
from grainseg.model.generic import default_checkpoint

log = logging.getLogger(__name__)


def generic_observer() -> Observe:
    """Return an observer that predicts boundaries with the network that ships with the package.

    That network was trained on synthetic pictures, so it follows nobody's labelling habits. It is loaded at
    the first call; if it cannot be loaded, the observer returns probability 0 everywhere.
    """

    @functools.cache
    def network() -> tuple[CheckpointSpec, nn.Module] | None:
        try:
            return load_network(default_checkpoint())
        except GrainsegError as error:
            log.warning("data.label_offset=auto: %s; the labels are taken as they lie", error)
            return None

    def observe(unit: FloatImage) -> FloatImage:
        found = network()
        if found is None:
            return unit[:, :, 0] * 0
        spec, seeing = found
        grey = to_channels(unit, spec.in_channels)
        return predict_probability(seeing, grey, tile_settings(spec))

    return observe
