"""Hydra callback that stops a run from using a folder of the labelled images as its own folder."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from grainseg.console import say


class DataFolderGuard(Callback):
    """Stop a run or sweep that would write into ``images/`` or ``masks/`` of its own data folder.

    Hydra calls this before it creates the folder and writes a log and settings there. After any error other
    than a SystemExit, Hydra would continue.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the folder of a run.

        Raises:
            SystemExit: The folder is ``images/`` or ``masks/``.
        """
        _refuse_input(config, "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the folder of a sweep.

        Raises:
            SystemExit: The folder is ``images/`` or ``masks/``.
        """
        _refuse_input(config, "hydra.sweep.dir")


def _refuse_input(config: DictConfig, key: str) -> None:
    root = OmegaConf.select(config, "data.root", throw_on_missing=False)
    folder = str(OmegaConf.select(config, key))
    for kind in ("images", "masks") if root is not None else ():
        if Path(folder).resolve() == (Path(root) / kind).resolve():
            say(f"error: {key}={folder} is the folder of the {kind}; choose another one", sys.stderr)
            raise SystemExit(1)
