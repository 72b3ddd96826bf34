"""The LightningDataModule: opens the data of a run and provides patches and whole pictures."""

import torch
from lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset

from grainseg.config import AugmentConfig, DataConfig, FolderDataConfig, StreamDataConfig
from grainseg.data.folder import prepare_folder, read_folder
from grainseg.data.images import LabelledMicrograph
from grainseg.data.patches import PatchSampler
from grainseg.data.registration import Observe
from grainseg.data.source import Patch, TrainingData
from grainseg.data.stream import open_stream
from grainseg.errors import GrainsegError

WholePicture = tuple[torch.Tensor, torch.Tensor, str]
"""(H, W, C) float32 in the unit range, (H, W) uint8 label codes, and the name of its regime."""


class WholePictures(Dataset[WholePicture]):
    """Pictures with their labels, uncut."""

    def __init__(self, images: tuple[LabelledMicrograph, ...]) -> None:
        self.images = images

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.images)

    def __getitem__(self, index: int) -> WholePicture:
        """Return picture, label and regime."""
        image = self.images[index]
        return torch.from_numpy(image.unit), torch.from_numpy(image.label), image.regime


class BoundaryDataModule(LightningDataModule):
    """Training, validation and test data: a folder of labelled micrographs, or a synthetic stream.

    Args:
        config: Source of the patches.
        augment: Ranges of the augmentation.
        channels: Channels that the network takes.
        batch_size: Patches in a batch.
        seed: Determines every patch.
        observe: Predicts where boundaries are, for ``data.label_offset=auto``.
    """

    def __init__(
        self,
        config: DataConfig,
        augment: AugmentConfig,
        channels: int,
        batch_size: int,
        seed: int,
        observe: Observe | None = None,
    ) -> None:
        super().__init__()
        self._config = config
        self._augment = augment
        self._channels = channels
        self._batch_size = batch_size
        self._seed = seed
        self._observe = observe
        self._opened: TrainingData | None = None

    @property
    def data(self) -> TrainingData:
        """The data opened by ``setup``."""
        if self._opened is None:
            raise ValueError("call setup first")
        return self._opened

    def prepare_data(self) -> None:
        """Write the synthetic folder if the configuration uses it and it does not exist yet."""
        if isinstance(self._config, FolderDataConfig):
            prepare_folder(self._config)

    def setup(self, stage: str | None = None) -> None:
        """Open the data on the first call; later calls do nothing.

        Raises:
            GrainsegError: The data do not match the configuration.
        """
        if self._opened is not None:
            return
        config = self._config
        if isinstance(config, StreamDataConfig):
            self._opened = open_stream(config, self._augment, self._channels, self._seed)
        else:
            assert isinstance(config, FolderDataConfig)  # the only other kind
            self._opened = read_folder(config, self._augment, self._channels, self._seed, self._observe)

    def train_dataloader(self) -> DataLoader[Patch]:
        """Return batches of patches (N, C, size, size) float32 and label codes (N, size, size) uint8."""
        count = self.data.patches_per_epoch
        rank, processes = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        if count // processes < self._batch_size:
            raise GrainsegError(
                f"batch_size={self._batch_size}: an epoch has only {count} patches for {processes} "
                "process(es); lower batch_size, or raise data.patches_per_epoch or, for a grid, data.overlap"
            )
        return DataLoader(
            self.data.patches,
            batch_size=self._batch_size,
            sampler=PatchSampler(count, rank, processes),
            num_workers=self._config.num_workers,
            persistent_workers=self._config.num_workers > 0,
            drop_last=True,  # a last batch of one patch would break batch normalisation
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[WholePicture]:
        """Return whole validation pictures, one at a time."""
        return DataLoader(WholePictures(self.data.val_images), batch_size=None)

    def test_dataloader(self) -> DataLoader[WholePicture]:
        """Return whole test pictures, one at a time."""
        return DataLoader(WholePictures(self.data.test_images), batch_size=None)
