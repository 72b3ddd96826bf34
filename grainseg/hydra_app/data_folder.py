"""Keeps the folders of the labelled images from being taken for the folder of a run."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from grainseg.console import say


class DataFolderKept(Callback):
    """Ends a run or sweep that would write into ``images/`` or ``masks/`` of its own data folder.

    Hydra calls it before it makes the folder and writes a log and settings there. It would go on after any
    error but a SystemExit.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Look at the folder of a run.

        Raises:
            SystemExit: It is one of those.
        """
        _refuse_input(config, "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Look at the folder of a sweep.

        Raises:
            SystemExit: It is one of those.
        """
        _refuse_input(config, "hydra.sweep.dir")


def _refuse_input(config: DictConfig, key: str) -> None:
    root = OmegaConf.select(config, "data.root", throw_on_missing=False)
    folder = str(OmegaConf.select(config, key))
    for kind in ("images", "masks") if root is not None else ():
        if Path(folder).resolve() == (Path(root) / kind).resolve():
            say(f"error: {key}={folder} is the folder of the {kind}; choose another one", sys.stderr)
            raise SystemExit(1)
