"""Speed of the wide generator: pictures of 256 × 256 px per second on one core, labels included.

    python benchmarks/wide_generator.py [--pictures 200] [--side 256] [--seed 0]

Uses one thread and prints processor time and wall-clock time, since other load slows only the latter.
"""

import argparse
import time

import cv2
import numpy as np

from grainseg.micrograph.wide.generator import generate_wide


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    generate_wide(options.seed, (options.side, options.side))  # warms up
    started, each = time.perf_counter(), []
    for number in range(options.pictures):
        before = time.process_time()
        generate_wide(options.seed + number, (options.side, options.side))
        each.append(time.process_time() - before)
    wall = time.perf_counter() - started
    milliseconds = 1000 * np.array(each)
    speed = 1000 / milliseconds.mean(), options.pictures / wall
    print(
        f"{options.pictures} pictures of {options.side} px: {speed[0]:.1f} a second and core "
        f"({speed[1]:.1f} by the wall clock); median {np.median(milliseconds):.0f} ms, "
        f"95 % within {np.quantile(milliseconds, 0.95):.0f} ms"
    )


if __name__ == "__main__":
    main()
