"""The layer between Hydra and the pipeline; no other package imports Hydra."""

from grainseg.hydra_app.entry import CONF, main_predict, main_train

__all__ = ["CONF", "main_predict", "main_train"]
