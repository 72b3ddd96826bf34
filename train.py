"""Train a boundary network: ``python train.py [group=choice] [key=value]``, with --help for what there is."""

import sys

from grainseg.hydra_app import main_train

if __name__ == "__main__":
    sys.exit(main_train())
