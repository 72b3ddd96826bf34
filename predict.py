"""Predict boundaries: ``python predict.py [checkpoint=PATH] images=PATH output=DIR [masks=DIR]``."""

import sys

from grainseg.hydra_app import main_predict

if __name__ == "__main__":
    sys.exit(main_predict())
