"""How far a tiled prediction differs from one pass over the whole picture.

    python benchmarks/seams.py CHECKPOINT [--image PICTURE] [--tiles 768:256 512:192]

Without ``--image``, a synthetic field of 1600 × 1600 px is drawn. All computations are in float32.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from grainseg.data.images import network_unit
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.files import read_micrograph
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import load_network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--tiles", nargs="+", default=[])
    arguments = parser.parse_args()
    spec, network = load_network(arguments.checkpoint)
    pixels = read_micrograph(arguments.image).pixels if arguments.image else generate(11, (1600, 1600)).pixels
    unit = network_unit(pixels, spec.in_channels)
    tiles = replace(tile_settings(spec), adapt=0.0)  # else tiles of other sizes use other statistics
    side = math.ceil(max(unit.shape) / tiles.stride) * tiles.stride
    whole = predict_probability(network, unit, replace(tiles, tile_size=side, overlap=0))
    print("| tile | overlap | mean difference | class changes | maximum |")
    print("|---|---|---|---|---|")
    for size in [f"{tiles.tile_size}:{tiles.overlap}", *arguments.tiles]:
        tile, overlap = map(int, size.split(":"))
        tiled = predict_probability(network, unit, replace(tiles, tile_size=tile, overlap=overlap))
        difference = np.abs(tiled - whole)
        changed = np.mean((tiled > spec.threshold) != (whole > spec.threshold))
        print(f"| {tile} | {overlap} | {difference.mean():.1e} | {changed:.4%} | {difference.max():.3f} |")


if __name__ == "__main__":
    main()
