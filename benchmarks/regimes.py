"""Scores of weights on the validation pictures of ``data=stream``, for each regime.

    python benchmarks/regimes.py WEIGHTS ... [--regimes NAME ...]

A run of ``experiment=pretrain`` logs the same scores for its own checkpoints; this script is for weights that
are older than a regime. Pictures are those of the present generator and of ``conf/data/stream.yaml``.
"""

import argparse
from collections import defaultdict

import numpy as np
from pretraining import configuration

from grainseg.config import StreamDataConfig
from grainseg.data.stream import open_stream
from grainseg.grains.scoring.scores import MaskScores, metrics_of_all, score_prediction
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.model.checkpoint import load_network


def show(name: str, scores: list[MaskScores]) -> None:
    total = metrics_of_all(scores, [""] * len(scores))
    print(f"  {name:22} IoU {total['iou']:.3f}  F1 {total['boundary_f1']:.3f}  of {len(scores)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--regimes", nargs="+", help="regimes in the row 'together'; default: all")
    asked = parser.parse_args()
    config = configuration([])
    assert isinstance(config.data, StreamDataConfig)
    known = list(config.data.regimes)
    together = asked.regimes or known
    if unknown := set(together) - set(known):
        parser.error(f"--regimes: no {', '.join(sorted(unknown))}; data.regimes has {', '.join(known)}")
    images = open_stream(config.data, config.augment, config.model.in_channels, config.seed).val_images
    for path in asked.weights:
        spec, network = load_network(path)
        by_regime = defaultdict(list)
        for image in images:
            mask = predict_probability(network, image.unit, tile_settings(spec)) > spec.threshold
            nothing = np.zeros(image.label.shape, np.uint32)  # grains are not scored
            scores = score_prediction(mask, nothing, image.label, config.boundary_tolerance_px)
            by_regime[image.regime].append(scores)
        print(path)
        for regime, found in by_regime.items():
            show(regime, found)
        show("together", [each for regime in together for each in by_regime[regime]])


if __name__ == "__main__":
    main()
