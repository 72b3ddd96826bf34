"""Compute the doubt score's reference: what pictures and predictions looked like in training."""

from collections.abc import Sequence

from grainseg.data.source import TrainingData
from grainseg.grains.closing.partition import PartitionSettings, partition_or_none
from grainseg.grains.trust.doubt import Reference, make_reference, prediction_signs
from grainseg.micrograph.checks.appearance import appearance
from grainseg.micrograph.image import FloatImage

PATCHES = 64
"""Number of patches that represent all. They are augmented as for the network, so that changes which it has
learnt to tolerate do not count as deviations."""


def training_reference(
    data: TrainingData, probabilities: Sequence[FloatImage], settings: PartitionSettings
) -> Reference:
    """Return mean and standard deviation of every sign of the doubt score.

    Args:
        data: Training data; its first patches represent what the network was trained on.
        probabilities: (H, W) float32 in [0, 1], predicted for the validation pictures.
        settings: Settings of their partition.
    """
    patches = (data.patches[number][0].numpy() for number in range(PATCHES))
    return make_reference(
        [appearance(patch.transpose(1, 2, 0)) for patch in patches],
        [prediction_signs(found, partition_or_none(found, settings)) for found in probabilities],
    )
