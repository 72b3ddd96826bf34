"""Between Hydra and the pipeline: the only importer of Hydra."""

from grainseg.hydra_app.entry import CONF, main_predict, main_train

__all__ = ["CONF", "main_predict", "main_train"]
