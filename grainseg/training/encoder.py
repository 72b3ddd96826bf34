"""The encoder of a network: found by its name, and kept as it was."""

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import nn

from grainseg.errors import GrainsegError


def encoder_of(network: nn.Module) -> nn.Module:
    """The part of a network that reads the picture.

    Raises:
        GrainsegError: The network has no such part.
    """
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise GrainsegError(
            "optimizer.encoder_lr_factor: this network has no encoder; set optimizer.encoder_lr_factor=1"
        )
    return encoder


class FrozenEncoder(Callback):
    """Keeps an encoder as it was, the running statistics of its batch normalisation included."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take the encoder out of training before anyone asks what there is to train."""
        encoder_of(pl_module.get_submodule("network")).requires_grad_(False)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let the encoder normalise by its running statistics, not by the batch, which would change these."""
        encoder_of(pl_module.get_submodule("network")).eval()
