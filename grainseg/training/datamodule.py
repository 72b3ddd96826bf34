"""The LightningDataModule: reads the labelled micrographs, splits them, serves patches and whole pictures."""

from pathlib import Path

import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from grainseg.config import AugmentConfig, DataConfig
from grainseg.data.images import LabelledMicrograph, read_labelled
from grainseg.data.patches import PatchDataset, PatchSampler
from grainseg.errors import GrainsegError
from grainseg.micrograph.folder import list_folder, split_with_test
from grainseg.micrograph.synthetic_folder import ensure_synthetic_folder


class WholePictures(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Pictures (H, W, C) float32 in the unit range with their labels (H, W) uint8, uncut."""

    def __init__(self, images: list[LabelledMicrograph]) -> None:
        self.images = images

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Picture and label."""
        image = self.images[index]
        return torch.from_numpy(image.unit), torch.from_numpy(image.label)


class BoundaryDataModule(LightningDataModule):
    """Five labelled micrographs, say: four to train, one to validate.

    Args:
        config: Where the data are and how they are cut.
        augment: Ranges of the augmentation.
        channels: Channels that the network takes.
        batch_size: Patches in a batch.
        seed: Determines every patch.

    Attributes:
        train_images: Read by ``setup``.
        val_images: Read by ``setup``.
        test_images: Read by ``setup``; empty unless ``data.test`` names some.
        left_out: Images without a mask.
    """

    def __init__(
        self, config: DataConfig, augment: AugmentConfig, channels: int, batch_size: int, seed: int
    ) -> None:
        super().__init__()
        self._config = config
        self._augment = augment
        self._channels = channels
        self._batch_size = batch_size
        self._seed = seed
        self.train_images: list[LabelledMicrograph] = []
        self.val_images: list[LabelledMicrograph] = []
        self.test_images: list[LabelledMicrograph] = []
        self.left_out: tuple[Path, ...] = ()
        self._patches: PatchDataset | None = None

    def prepare_data(self) -> None:
        """Write the embedded data if they are asked for and not yet there."""
        if self._config.name == "synthetic":
            ensure_synthetic_folder(Path(self._config.root))

    def setup(self, stage: str | None = None) -> None:
        """Read all pictures once; later calls find them.

        Raises:
            GrainsegError: A file or the split cannot be what the configuration says.
        """
        if self.train_images:
            return
        listing = list_folder(Path(self._config.root))
        self.left_out = listing.without_mask
        items = {item.stem: item for item in listing.labelled}
        chosen = self._config
        train, val, test = split_with_test(list(items), chosen.val, chosen.test, chosen.fold, chosen.folds)
        images = {
            stem: read_labelled(items[stem], self._config, self._channels) for stem in (*train, *val, *test)
        }
        self.val_images = [images[stem] for stem in val]
        self.test_images = [images[stem] for stem in test]
        self.train_images = [images[stem] for stem in train]

    def train_dataloader(self) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
        """Batches of patches (N, C, size, size) float32 and label codes (N, size, size) uint8."""
        if self._patches is None:
            overlap = self._config.overlap if self._config.sampling == "grid" else None
            self._patches = PatchDataset(
                self.train_images, self._config.tile_size, self._augment, self._seed, overlap
            )
        grid = self._patches.grid
        count = self._config.patches_per_epoch if grid is None else len(grid)
        rank, processes = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        if count // processes < self._batch_size:
            raise GrainsegError(
                f"batch_size={self._batch_size}: an epoch has only {count} patches for {processes} "
                "process(es); lower batch_size, or raise data.patches_per_epoch or, for a grid, data.overlap"
            )
        return DataLoader(
            self._patches,
            batch_size=self._batch_size,
            sampler=PatchSampler(count, rank, processes),
            num_workers=self._config.num_workers,
            persistent_workers=self._config.num_workers > 0,
            drop_last=True,  # a last batch of one patch would break batch normalisation
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
        """Whole pictures, one at a time."""
        return DataLoader(WholePictures(self.val_images), batch_size=None)

    def test_dataloader(self) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
        """Whole pictures, one at a time."""
        return DataLoader(WholePictures(self.test_images), batch_size=None)
