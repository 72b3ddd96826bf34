"""Train a boundary network: ``python train.py [group=choice] [key=value]``; --help lists all of them."""

import sys

from grainseg.hydra_app import main_train

if __name__ == "__main__":
    sys.exit(main_train())
