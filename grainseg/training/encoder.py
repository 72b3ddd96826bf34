"""The encoder of a network: access to it, and freezing it."""

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import nn

from grainseg.errors import GrainsegError


def encoder_of(network: nn.Module) -> nn.Module:
    """Return the encoder of a network.

    Raises:
        GrainsegError: The network has no encoder.
    """
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise GrainsegError(
            "optimizer.encoder_lr_factor: this network has no encoder; set optimizer.encoder_lr_factor=1"
        )
    return encoder


class FrozenEncoder(Callback):
    """Freeze the encoder, including the running statistics of its batch normalisation."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Exclude the encoder's parameters from training, before the optimizer collects parameters."""
        encoder_of(pl_module.get_submodule("network")).requires_grad_(False)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make the encoder normalise by its running statistics; batch statistics would update them."""
        encoder_of(pl_module.get_submodule("network")).eval()
