"""LightningDataModule, LightningModule, metrics and callbacks."""
