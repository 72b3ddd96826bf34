"""Training patches: their selection and order, and the dataset that cuts them.

Every patch is a pure function of the seed and its running number. So a run uses the same patches with any
number of workers, and an interrupted run continues where it stopped.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from grainseg.config import AugmentConfig
from grainseg.data.geometry import cut_patch, draw_geometry
from grainseg.data.images import LabelledMicrograph
from grainseg.data.labelled import labelled_cells, labelled_places
from grainseg.data.line_field import line_field
from grainseg.data.photometry import Photometry
from grainseg.data.source import Patch
from grainseg.micrograph.image import IGNORE, FloatImage, Label
from grainseg.tiling import grid_origins

_TRIES = 10
"""Tries for a patch with a labelled pixel; practically enough unless the labelled area is tiny."""


class PatchSampler(Sampler[int]):
    """Running numbers of the patches of an epoch: epoch · n … epoch · n + n - 1, split among the processes.

    Lightning calls ``set_epoch``. The running number alone then determines a patch.

    Args:
        patches_per_epoch: n, the number for all processes together.
        rank: Index of this process.
        world_size: Number of processes.
    """

    def __init__(self, patches_per_epoch: int, rank: int = 0, world_size: int = 1) -> None:
        self._patches = patches_per_epoch
        self._rank = rank
        self._world_size = world_size
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the next epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of patches per process, equal for all so that none waits for another."""
        return self._patches // self._world_size

    def __iter__(self) -> Iterator[int]:
        """Iterate over the running numbers of this process's patches."""
        first = self._epoch * self._patches + self._rank
        return iter(range(first, first + len(self) * self._world_size, self._world_size))


class PatchDataset(Dataset[Patch]):
    """Augmented patches of labelled micrographs.

    Args:
        images: Source images; each is chosen with a probability proportional to its labelled area.
        size: Edge length of a patch in px.
        augment: Ranges of the augmentation.
        seed: Determines the patch, together with the running number.
        overlap: None cuts patches at random positions, in a partly labelled image with a probability
            proportional to the number of labelled pixels in the patch. A number sets the overlap in px of a
            grid of patches over each image, used in random order once per epoch; grid patches with hardly any
            labelled pixels are left out.
    """

    def __init__(
        self,
        images: Sequence[LabelledMicrograph],
        size: int,
        augment: AugmentConfig,
        seed: int,
        overlap: int | None = None,
    ) -> None:
        self._images = list(images)
        self._lines = [line_field(image.label) for image in images]
        self._size = size
        self._augment = augment
        self._photometry = Photometry(augment)
        self._seed = seed
        self._labelled = [labelled_places(image.label) for image in images]
        areas = np.array([places.count for places in self._labelled], dtype=np.float64)
        self._share = areas / areas.sum()
        self.grid = None if overlap is None else self._lay_grid(overlap)

    def _lay_grid(self, overlap: int) -> list[tuple[int, int, int]]:
        return [
            (index, row, column)
            for index, image in enumerate(self._images)
            for row, column in labelled_cells(
                image.label,
                self._size,
                grid_origins(image.shape[0], self._size, overlap),
                grid_origins(image.shape[1], self._size, overlap),
            )
        ]

    def __getitem__(self, number: int) -> Patch:
        """Cut a patch.

        Args:
            number: Running number over all epochs.

        Returns:
            (C, size, size) float32 in [0, 1], and (size, size) uint8 label codes.
        """
        rng = np.random.default_rng((self._seed, number))
        index, origin = self._place(number, rng)
        pixels, label = self._cut(index, origin, rng)
        pixels = self._photometry(pixels, rng)
        return torch.from_numpy(channels_first(pixels)), torch.from_numpy(label)

    def _cut(
        self, index: int, origin: tuple[int, int] | None, rng: np.random.Generator
    ) -> tuple[FloatImage, Label]:
        """Cut a patch that shows a labelled pixel; a rotation can move the chosen pixel out of the patch."""
        image, lines = self._images[index], self._lines[index]
        for _ in range(_TRIES):
            geometry = draw_geometry(rng, self._augment, image.shape, self._size, origin)
            if origin is None:
                geometry = self._labelled[index].shown_by(geometry, image.shape, self._size, rng)
            pixels, label = cut_patch(image, lines, geometry, self._size)
            if (label != IGNORE).any():
                break
        return pixels, label

    def _place(self, number: int, rng: np.random.Generator) -> tuple[int, tuple[int, int] | None]:
        if self.grid is None:
            return int(rng.choice(len(self._images), p=self._share)), None
        epoch, position = divmod(number, len(self.grid))
        order = np.random.default_rng((self._seed, epoch, 1)).permutation(len(self.grid))
        index, row, column = self.grid[order[position]]
        return index, (row, column)


def channels_first(pixels: FloatImage) -> FloatImage:
    """Convert (H, W, C) to contiguous (C, H, W)."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
